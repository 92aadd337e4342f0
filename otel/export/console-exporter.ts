import type { Writable } from 'node:stream';
import { jsonInSteps } from '../otlp/json.ts';
import type { EncodedRequest } from '../otlp/open-request.ts';
import { batchesOf, type Collection, PointBatch } from '../state/point-batch.ts';
import { pairsText, pointText } from './console-text.ts';
import type { Encode } from './encoding-in-turns.ts';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';

/** Of one line of JSON, which is some 5 ms of work to make and to write. */
const pointsPerLine = 1000;
/** Of text that is written at a time. */
const charactersPerPiece = 65_536;

/** `json`: lines of OTLP/JSON, each a request of about a thousand points; most collections are one. `text`: one line for each point. */
export type ConsoleFormat = 'json' | 'text';

/** The encoding of a periodic reader that writes for people; its sender is a {@link streamSender}. */
export function consoleEncode(format: ConsoleFormat): Encode {
  return format === 'text' ? asText : asJson;
}

/** Writes what it is given to a stream, such as standard output, and waits for the stream to take it. The stream stays open. */
export function streamSender(stream: Writable): RequestSender {
  let failure: Error | undefined;
  // Without a listener a closed pipe would end the process.
  const onError = (error: Error): void => {
    failure = error;
  };
  stream.on('error', onError);
  return {
    send(bytes, signal) {
      return new Promise<SendResult>((resolve) => {
        const fail = (cause: Error): void =>
          resolve({
            kind: 'permanent',
            error: new SendError(`cannot write: ${cause.message}`, 'WRITE', { cause }),
          });
        if (failure !== undefined) return fail(failure);
        const onAbort = (): void =>
          resolve({ kind: 'retryable', error: new SendError('the stream takes nothing', 'CANCELLED') });
        signal.addEventListener('abort', onAbort, { once: true });
        stream.write(bytes, (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error) fail(error);
          else resolve({ kind: 'success' });
        });
      });
    },
    close: () => {},
  };
}

function* asJson(collection: Collection): Generator<EncodedRequest | undefined> {
  for (const step of jsonInSteps(collection, pointsPerLine)) {
    if (step === undefined) yield undefined;
    else yield { bytes: Buffer.from(`${JSON.stringify(step.request)}\n`), points: step.points };
  }
}

function* asText(collection: Collection): Generator<EncodedRequest | undefined> {
  const batch = new PointBatch();
  let text = '';
  let points = 0;
  for (const { resource, scopes } of collection.resources) {
    const resourceText = pairsText(resource.attributes);
    for (const { streams } of scopes) {
      for (const stream of streams) {
        for (const { size } of batchesOf(stream, batch)) {
          for (let i = 0; i < size; i++) text += `${pointText(resourceText, stream, batch, i)}\n`;
          points += size;
          if (text.length < charactersPerPiece) {
            yield undefined;
            continue;
          }
          yield { bytes: Buffer.from(text), points };
          text = '';
          points = 0;
        }
      }
    }
  }
  if (points > 0) yield { bytes: Buffer.from(text), points };
}
