import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { longestTurnMs, nextTurn } from '../../otel/turns.ts';
import type { Answer } from './route.ts';

/** So much is made before it waits until it may be sent. */
const gatheredLength = 256 * 1024;
/** Below this, compressing saves no packet. */
const compressFromBytes = 1400;

/** A client did not take its answer in time. */
export class AnswerTimeoutError extends Error {
  override readonly name = 'AnswerTimeoutError';
}

/**
 * Sends an answer: compressed when the client takes gzip and the answer is large, its pieces made only as fast as the client takes
 * them and with turns for others in between. To HEAD it sends the head only. Rejects when the client goes away or a piece
 * cannot be made; the connection is closed then, so that what was sent is not taken for the whole.
 * @param timeoutMs an answer that is not taken within this is cut off, with an {@link AnswerTimeoutError}
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  timeoutMs: number,
): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.setHeader('Content-Type', answer.contentType);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  const { Vary = '' } = answer.headers ?? {};
  response.setHeader('Vary', Vary === '' ? 'Accept, Accept-Encoding' : `Accept, Accept-Encoding, ${Vary}`);

  const pieces =
    typeof answer.body === 'string' ? [answer.body] : Buffer.isBuffer(answer.body) ? [] : answer.body;
  const iterator = pieces[Symbol.iterator]();
  // A client that takes a byte now and then would keep its place for ever.
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    response.destroy();
  }, timeoutMs);
  try {
    if (request.method === 'HEAD') {
      response.end();
      await finished(response);
      return;
    }
    if (Buffer.isBuffer(answer.body)) {
      response.end(answer.body);
      await finished(response);
      return;
    }
    const { first, isAll } = await firstBytes(iterator);
    await answer.sendable?.();
    const gzip = first.length >= compressFromBytes && takesGzip(request.headers['accept-encoding']);
    if (gzip) response.setHeader('Content-Encoding', 'gzip');
    if (isAll && !gzip) {
      response.end(first);
      await finished(response);
      return;
    }
    const rest = Readable.from(inTurns(first, iterator, answer.sendable), {
      objectMode: false,
      highWaterMark: 65_536,
    });
    if (gzip) await pipeline(rest, createGzip({ level: constants.Z_BEST_SPEED }), response);
    else await pipeline(rest, response);
  } catch (cause) {
    if (!isLate) throw cause;
    throw new AnswerTimeoutError(`an answer was not read within ${timeoutMs} ms`, { cause });
  } finally {
    clearTimeout(timer);
    iterator.return?.();
  }
}

/** Whether an Accept-Encoding header (RFC 9110) allows gzip. */
export function takesGzip(header: string | string[] | undefined): boolean {
  for (const coding of String(header ?? '').split(',', 32)) {
    const [name = '', ...parameters] = coding.split(';').map((part) => part.trim().toLowerCase());
    if (name !== 'gzip' && name !== 'x-gzip') continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    return quality === undefined || Number(quality.slice(2)) > 0;
  }
  return false;
}

/** Enough of the answer to know whether it is large. */
async function firstBytes(iterator: Iterator<string>): Promise<{ first: Buffer; isAll: boolean }> {
  let text = '';
  for (;;) {
    const next = iterator.next();
    if (next.done === true) return { first: Buffer.from(text), isAll: true };
    text += next.value;
    if (text.length >= compressFromBytes) return { first: Buffer.from(text), isAll: false };
    await nextTurn();
  }
}

async function* inTurns(
  first: Buffer,
  iterator: Iterator<string>,
  sendable: Answer['sendable'],
): AsyncGenerator<Buffer, void> {
  yield first;
  let turnBegan = performance.now();
  let made = '';
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    made += next.value;
    const isTurnOver = performance.now() - turnBegan >= longestTurnMs;
    // Waiting for a commit takes longer than making a piece.
    if (made !== '' && (sendable === undefined || isTurnOver || made.length >= gatheredLength)) {
      await sendable?.();
      yield Buffer.from(made);
      made = '';
    }
    if (!isTurnOver) continue;
    await nextTurn();
    turnBegan = performance.now();
  }
  await sendable?.();
  if (made !== '') yield Buffer.from(made);
}
