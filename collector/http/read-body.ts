import type { IncomingMessage } from 'node:http';
import { StreamgaugeError } from '../../proto/error.ts';

/** A body is larger than its route takes. */
export class BodyTooLargeError extends StreamgaugeError {
  override readonly name = 'BodyTooLargeError';

  constructor(maxBytes: number) {
    super('invalid_data', `The body is larger than the ${maxBytes} bytes that are allowed here.`);
  }
}

/**
 * Reads a request's body up to a limit. Rejects with a {@link BodyTooLargeError} as soon as it is known to be larger; what still comes is
 * passed over then, so that the client is not cut off before it has read why.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      parts.length = 0;
      request.off('data', take);
      request.resume();
      reject(error);
    };
    const take = (part: Buffer): void => {
      size += part.length;
      if (size > maxBytes) fail(new BodyTooLargeError(maxBytes));
      else parts.push(part);
    };
    // Stays to the end: an error without a listener would be nobody's.
    request.on('error', fail);
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(parts, size)));
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) fail(new BodyTooLargeError(maxBytes));
  });
}
