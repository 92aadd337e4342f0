import { status } from '@grpc/grpc-js';
import type { Http2Call } from '../http2-call.ts';
import { type ExportAnswer, responseBytes, statusBytes, statusOf } from './export-answer.ts';
import type { ExportRequest, OtlpDoor } from './otlp-door.ts';

export const exportPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/** What other exporters of the same SDKs call. */
export const otherSignalPaths: Readonly<Record<string, string>> = {
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': 'traces',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': 'logs',
  '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export': 'profiles',
};

/** A whole request comes within this. */
const requestTimeoutMs = 60_000;

/** Serves one call of `MetricsService/Export` on its HTTP/2 stream: one message in, one out. */
export function serveExport(
  call: Http2Call,
  door: OtlpDoor,
  sender: Pick<ExportRequest, 'grant' | 'connection' | 'address' | 'onDenied'>,
): void {
  let bytes: Buffer | undefined;
  let isOver = false;
  const end = (code: status, message: string): void => {
    isOver = true;
    clearTimeout(timer);
    call.end(code, message);
  };
  const timer = setTimeout(
    () => end(status.DEADLINE_EXCEEDED, `the request did not come within ${requestTimeoutMs / 1000} s`),
    requestTimeoutMs,
  );
  timer.unref();
  call.listen({
    message(message) {
      if (bytes === undefined) bytes = message;
      else end(status.INVALID_ARGUMENT, 'the call has a second message, and Export takes one');
    },
    halfClosed() {
      if (isOver) return;
      clearTimeout(timer);
      if (bytes === undefined) {
        end(status.INVALID_ARGUMENT, 'the call has no message');
        return;
      }
      door.export({ ...sender, protocol: 'grpc', bytes }, (answer) => sendAnswer(call, answer));
      // It has been taken in, and is kept nowhere.
      bytes = undefined;
      call.release();
    },
    closed() {
      isOver = true;
      clearTimeout(timer);
    },
  });
}

function sendAnswer(call: Http2Call, answer: ExportAnswer): void {
  if (answer.kind === 'taken') {
    call.write(responseBytes(answer), () => {});
    call.end(status.OK, '');
    return;
  }
  const code = statusOf[answer.kind];
  if (answer.kind !== 'unavailable') {
    call.end(code, answer.message);
    return;
  }
  const details = statusBytes(code, answer.message, answer.retryDelayMs)
    .toString('base64')
    .replace(/=+$/, '');
  call.end(code, answer.message, { 'grpc-status-details-bin': details });
}
