import type { IncomingMessage } from 'node:http';
import { StreamgaugeError } from '../../proto/error.ts';

/** A body is larger than its route takes. */
export class BodyTooLargeError extends StreamgaugeError {
  override readonly name = 'BodyTooLargeError';

  constructor(maxBytes: number) {
    super('invalid_data', `The body is larger than the ${maxBytes} bytes that are allowed here.`);
  }
}

/** Reads a request's body up to a limit. Rejects with a {@link BodyTooLargeError} as soon as it is known to be larger. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}
