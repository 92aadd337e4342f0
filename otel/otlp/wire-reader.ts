/** Bytes that are no protobuf message. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** One field as it stands on the wire: a varint, or the bytes of a length-delimited field; `undefined` for a number of fixed width, which is passed over. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array | undefined;
}

/**
 * The fields of a protobuf message, in their order: for small messages from others, such as answers of a backend. The bytes of a field
 * are a view of the message. Work and memory are bounded by the message's size.
 * @throws WireError at the first byte that breaks the encoding
 */
export function* readFields(message: Uint8Array): Generator<WireField> {
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (position >= message.length)
        throw new WireError(`byte ${position}: the message ends within a varint`);
      const byte = message[position++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError(`byte ${position}: a varint has more than 10 bytes`);
  };
  const take = (length: number): number => {
    if (length > message.length - position) {
      throw new WireError(
        `byte ${position}: a field of ${length} bytes ends beyond the message's ${message.length}`,
      );
    }
    position += length;
    return position - length;
  };
  while (position < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        take(8);
        yield { number, value: undefined };
        break;
      case 2: {
        const length = Number(varint());
        const start = take(length);
        yield { number, value: message.subarray(start, start + length) };
        break;
      }
      case 5:
        take(4);
        yield { number, value: undefined };
        break;
      default:
        throw new WireError(
          `byte ${position}: wire type ${tag % 8} of field ${number} is none that protobuf has`,
        );
    }
  }
}
