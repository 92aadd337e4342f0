import { status } from '@grpc/grpc-js';
import type { OtlpConfig } from '../../config/otlp-config.ts';
import { type Answer, type Route, type RouteRequest, textAnswer } from '../../http/route.ts';
import { clientAddress } from '../../security/client-address.ts';
import { DecompressionError, decompressMessage } from '../decompress-message.ts';
import { FairQueue } from '../fair-queue.ts';
import { Cors } from './cors.ts';
import { type ExportAnswer, responseBytes, responseJson, statusBytes, statusOf } from './export-answer.ts';
import type { OtlpProtocol } from './otlp-counters.ts';
import type { OtlpDoor } from './otlp-door.ts';

/** Of the runtime's four threads some are left to the gRPC port and to files. */
const decompressionsAtOnce = 2;
const httpStatusOf: Readonly<Record<Exclude<ExportAnswer['kind'], 'taken'>, number>> = {
  invalid: 400,
  unavailable: 503,
  failed: 500,
};
const protobuf = 'application/x-protobuf';
const json = 'application/json';

/** `POST /v1/metrics`, and an answer for those that send other signals there. */
export function otlpRoutes(door: OtlpDoor, { maxRequestBytes, cors: config }: OtlpConfig): readonly Route[] {
  const cors = new Cors(config);
  const decompressions = new FairQueue(decompressionsAtOnce);
  const allowsOrigin = (origin: string) => cors.isAllowed(origin);
  const metrics: Route = {
    method: 'POST',
    path: '/v1/metrics',
    summary: 'Takes metrics as OTLP: protobuf or JSON.',
    permission: 'otlp',
    maxBodyBytes: maxRequestBytes,
    allowsOrigin,
    async handle(request) {
      const { origin } = request.headers;
      const answer = await exported(request, door, decompressions, maxRequestBytes);
      return { ...answer, headers: { ...answer.headers, ...cors.headers(origin) } };
    },
  };
  const preflight: Route = {
    method: 'OPTIONS',
    path: '/v1/metrics',
    summary: 'Which pages of other origins may send.',
    allowsOrigin,
    handle: ({ headers }) => ({
      status: 204,
      contentType: 'text/plain',
      headers: { Allow: 'POST, OPTIONS', ...cors.preflightHeaders(headers.origin) },
      body: '',
    }),
  };
  const others = Object.entries({
    '/v1/traces': 'traces',
    '/v1/logs': 'logs',
    '/v1development/profiles': 'profiles',
  }).map(
    ([path, signal]): Route => ({
      method: 'POST',
      path,
      summary: `Tells senders of ${signal} that metrics are taken only.`,
      permission: 'otlp',
      isHidden: true,
      handle: ({ address }) => textAnswer(404, `${door.otherSignal(signal, address)}.`),
    }),
  );
  return [metrics, preflight, ...others];
}

async function exported(
  { headers, body, grant, connection, address, onDenied }: RouteRequest,
  door: OtlpDoor,
  decompressions: FairQueue,
  maxBytes: number,
): Promise<Answer> {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';', 1);
  const protocol: OtlpProtocol | undefined =
    type.trim() === protobuf ? 'http_protobuf' : type.trim() === json ? 'http_json' : undefined;
  if (protocol === undefined)
    return textAnswer(415, `The content type is ${quoted(type)}; ${protobuf} and ${json} are allowed.`);
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (!['identity', 'gzip', 'deflate'].includes(encoding))
    return failure(protocol, {
      httpStatus: 415,
      code: status.UNIMPLEMENTED,
      message: `the content encoding is ${quoted(encoding)}; identity, gzip and deflate are allowed`,
    });
  let bytes = body;
  if (encoding !== 'identity') {
    try {
      const client = clientAddress(address.replace(/:\d+$/, ''));
      bytes = await decompressions.run(client, () => decompressMessage(body, encoding, maxBytes));
    } catch (error) {
      if (!(error instanceof DecompressionError)) throw error;
      const isTooLarge = error.code === status.RESOURCE_EXHAUSTED;
      return failure(protocol, {
        httpStatus: isTooLarge ? 413 : 400,
        code: isTooLarge ? error.code : status.INVALID_ARGUMENT,
        message: isTooLarge
          ? `the request has more than ${maxBytes} bytes unpacked: send less at a time (otlp.max_request_bytes)`
          : `the request is no ${encoding}`,
      });
    }
  }
  const answer = await new Promise<ExportAnswer>((resolve) => {
    door.export({ protocol, bytes, grant, connection, address, onDenied }, resolve);
  });
  if (answer.kind === 'taken') {
    const isJson = protocol === 'http_json';
    return {
      status: 200,
      contentType: isJson ? json : protobuf,
      body: isJson ? JSON.stringify(responseJson(answer)) : responseBytes(answer),
    };
  }
  return failure(protocol, {
    httpStatus: httpStatusOf[answer.kind],
    code: statusOf[answer.kind],
    message: answer.message,
    ...(answer.kind === 'unavailable' && { retryDelayMs: answer.retryDelayMs }),
  });
}

/** A google.rpc.Status as the body, as OTLP/HTTP asks. */
function failure(
  protocol: OtlpProtocol,
  of: {
    readonly httpStatus: number;
    readonly code: status;
    readonly message: string;
    readonly retryDelayMs?: number;
  },
): Answer {
  const { httpStatus, code, message, retryDelayMs } = of;
  const isJson = protocol === 'http_json';
  return {
    status: httpStatus,
    contentType: isJson ? json : protobuf,
    headers:
      retryDelayMs === undefined ? {} : { 'Retry-After': `${Math.max(1, Math.ceil(retryDelayMs / 1000))}` },
    body: isJson ? JSON.stringify({ code, message }) : statusBytes(code, message, retryDelayMs),
  };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
