import { StreamgaugeError } from '../../proto/error.ts';

/** Reads the bytes of one record after another. */
export class RecordReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Below 2^53. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || scale > 2 ** 49) throw badRecord('a number in it does not end');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  float64(): number {
    if (this.#at + 8 > this.#bytes.length) throw badRecord('it is cut off');
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** So many bytes. They may be kept. */
  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw badRecord('it is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** All that is left. It may be kept. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }
}

export function badRecord(what: string): StreamgaugeError {
  return new StreamgaugeError('invalid_data', `the record is not what this program writes: ${what}`);
}
