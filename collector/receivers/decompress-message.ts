import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';

/** What the header `grpc-accept-encoding` says. */
export const acceptedEncodings = 'identity,deflate,gzip';

const decompressors = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);

/** Why a compressed message cannot be had, as the status that its call ends with. */
export class DecompressionError extends Error {
  override readonly name = 'DecompressionError';
  readonly code: status;

  constructor(code: status, details: string, options?: ErrorOptions) {
    super(details, options);
    this.code = code;
  }
}

/** Each chunk that is unpacked is a job for the runtime's threads: messages that are large have fewer of them, small ones little memory. */
const smallestChunk = 16 * 1024;
const largestChunk = 512 * 1024;
const usualRatio = 8;

function chunkBytes(packedBytes: number): number {
  return Math.min(largestChunk, Math.max(smallestChunk, usualRatio * packedBytes));
}

/** Whether messages of this encoding can be unpacked. */
export function isKnownEncoding(encoding: string): boolean {
  return decompressors.has(encoding);
}

/**
 * A message as it was before the compression that the call's `grpc-encoding` names. Beyond `maxBytes` it is not unpacked further.
 * @throws DecompressionError
 */
export async function decompressMessage(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const decompress = decompressors.get(encoding);
  if (decompress === undefined)
    throw new DecompressionError(
      status.UNIMPLEMENTED,
      `Received message compressed with unsupported encoding "${encoding}"`,
    );
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes, chunkSize: chunkBytes(bytes.length) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new DecompressionError(
        status.RESOURCE_EXHAUSTED,
        `Received message that decompresses to a size larger than ${maxBytes}`,
        { cause },
      );
    throw new DecompressionError(status.INTERNAL, 'Failed to decompress message', { cause });
  }
}
