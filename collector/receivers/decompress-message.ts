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
    return await decompress(bytes, { maxOutputLength: maxBytes });
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
