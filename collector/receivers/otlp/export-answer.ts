import { status } from '@grpc/grpc-js';
import { WireWriter } from '../../../otel/otlp/wire-writer.ts';

/** What a sender is told, before it is put into the words of a protocol. */
export type ExportAnswer =
  /** Everything but so many points was taken; a message with none is a warning. */
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string }
  /** The same request would fail again. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** It may be taken after the delay. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryDelayMs: number }
  /** The collector failed on it: nobody knows whether it would again, so it is not to be repeated. */
  | { readonly kind: 'failed'; readonly message: string };

/** The gRPC status of a failure. */
export const statusOf: Readonly<Record<Exclude<ExportAnswer['kind'], 'taken'>, status>> = {
  invalid: status.INVALID_ARGUMENT,
  unavailable: status.UNAVAILABLE,
  failed: status.INTERNAL,
};

const none = Buffer.alloc(0);

/** An ExportMetricsServiceResponse: empty where everything was taken. */
export function responseBytes({ rejected, message }: Extract<ExportAnswer, { kind: 'taken' }>): Buffer {
  if (rejected === 0 && message === '') return none;
  const writer = new WireWriter(256);
  const start = writer.open(0x0a);
  if (rejected > 0) {
    writer.varint(0x08);
    writer.varint(rejected);
  }
  writer.stringField(0x12, message);
  writer.close(start);
  return writer.copy();
}

/** The same in OTLP/JSON. */
export function responseJson({ rejected, message }: Extract<ExportAnswer, { kind: 'taken' }>): object {
  if (rejected === 0 && message === '') return {};
  return { partialSuccess: { rejectedDataPoints: String(rejected), errorMessage: message } };
}

/** A google.rpc.Status, with RetryInfo where there is a delay: the body of an HTTP failure, and `grpc-status-details-bin`. */
export function statusBytes(code: status, message: string, retryDelayMs?: number): Buffer {
  const writer = new WireWriter(256);
  writer.varint(0x08);
  writer.varint(code);
  writer.stringField(0x12, message);
  if (retryDelayMs !== undefined) {
    const any = writer.open(0x1a);
    writer.stringField(0x0a, 'type.googleapis.com/google.rpc.RetryInfo');
    const value = writer.open(0x12);
    const duration = writer.open(0x0a);
    const seconds = Math.floor(retryDelayMs / 1000);
    writer.varint(0x08);
    writer.varint(seconds);
    writer.varint(0x10);
    writer.varint(Math.round((retryDelayMs - seconds * 1000) * 1e6));
    writer.close(duration);
    writer.close(value);
    writer.close(any);
  }
  return writer.copy();
}
