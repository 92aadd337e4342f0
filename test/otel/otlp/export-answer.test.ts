import test from 'ava';
import fc from 'fast-check';
import { readPartialSuccess, readStatusDetails } from '../../../otel/otlp/export-answer.ts';
import { WireError } from '../../../otel/otlp/wire-reader.ts';
import { encodeExportResponse } from '../../sinks/export-request.ts';
import { statusWithRetryInfo } from '../../sinks/grpc-sink.ts';

test('partial success is read as proto-loader writes it', (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.string({ maxLength: 100 }), (rejected, message) => {
      const bytes = encodeExportResponse({
        partialSuccess: { rejectedDataPoints: rejected, errorMessage: message },
      });
      const expected = rejected === 0 && message === '' ? undefined : { rejected, message };
      t.deepEqual(readPartialSuccess(bytes), expected);
    }),
    { numRuns: 100 },
  );
  t.is(readPartialSuccess(new Uint8Array(0)), undefined);
});

test('the delay of a RetryInfo is read', (t) => {
  for (const delayMs of [0, 1, 250, 1500, 3_600_000]) {
    const details = readStatusDetails(statusWithRetryInfo(8, 'slow down', delayMs));
    t.deepEqual(details, { message: 'slow down', retryDelayMs: delayMs });
  }
  t.deepEqual(readStatusDetails(Buffer.from([0x08, 8])), { message: '', retryDelayMs: undefined });
});

test('any bytes are an answer or a WireError', (t) => {
  let errors = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of [readPartialSuccess, readStatusDetails]) {
        try {
          read(bytes);
        } catch (error) {
          errors++;
          t.true(error instanceof WireError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
  t.true(errors > 100);
});
