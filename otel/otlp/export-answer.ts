import { readFields } from './wire-reader.ts';

/** What a backend did not accept of a request that it otherwise took. */
export interface PartialSuccess {
  /** Data points that were refused; 0 with a message is a warning. */
  readonly rejected: number;
  readonly message: string;
}

/** A google.rpc.Status, as failures carry it in `grpc-status-details-bin` and in HTTP bodies. */
export interface StatusDetails {
  readonly message: string;
  /** The delay of its RetryInfo, in milliseconds. */
  readonly retryDelayMs: number | undefined;
}

const longestText = 512;

/**
 * The partial success in the bytes of an ExportMetricsServiceResponse, if there is one that says something.
 * @throws WireError when the bytes are no such message
 */
export function readPartialSuccess(response: Uint8Array): PartialSuccess | undefined {
  let rejected = 0;
  let message = '';
  for (const field of readFields(response)) {
    if (field.number !== 1 || !(field.value instanceof Uint8Array)) continue;
    for (const { number, value } of readFields(field.value)) {
      if (number === 1 && typeof value === 'bigint') rejected = Math.max(0, Number(BigInt.asIntN(64, value)));
      if (number === 2 && value instanceof Uint8Array) message = text(value);
    }
  }
  return rejected === 0 && message === '' ? undefined : { rejected, message };
}

/**
 * @throws WireError when the bytes are no google.rpc.Status
 */
export function readStatusDetails(status: Uint8Array): StatusDetails {
  let message = '';
  let retryDelayMs: number | undefined;
  for (const { number, value } of readFields(status)) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === 2) message = text(value);
    if (number === 3) retryDelayMs ??= readRetryInfo(value);
  }
  return { message, retryDelayMs };
}

/** The delay of a google.protobuf.Any that holds a google.rpc.RetryInfo. */
function readRetryInfo(any: Uint8Array): number | undefined {
  let type = '';
  let content: Uint8Array | undefined;
  for (const { number, value } of readFields(any)) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === 1) type = text(value);
    if (number === 2) content = value;
  }
  if (!type.endsWith('/google.rpc.RetryInfo')) return undefined;
  let delayMs = 0;
  for (const retryInfo of readFields(content ?? new Uint8Array(0))) {
    if (retryInfo.number !== 1 || !(retryInfo.value instanceof Uint8Array)) continue;
    for (const { number, value } of readFields(retryInfo.value)) {
      if (typeof value !== 'bigint') continue;
      if (number === 1) delayMs += Number(BigInt.asIntN(64, value)) * 1000;
      if (number === 2) delayMs += Number(BigInt.asIntN(64, value)) / 1e6;
    }
  }
  return Math.max(0, delayMs);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8', 0, longestText);
}
