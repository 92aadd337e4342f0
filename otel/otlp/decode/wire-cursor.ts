import { InvalidDataError } from '../../../proto/error.ts';

export const varintType = 0;
export const fixed64Type = 1;
export const bytesType = 2;
const groupStartType = 3;
const groupEndType = 4;
const fixed32Type = 5;

const empty = new Uint8Array(0);

/**
 * A place in the bytes of a protobuf message. What it reads ends before the `end` that it is given, which is that of the message around it. All
 * of it throws InvalidDataError, without a field path, for bytes that are no protobuf.
 */
export class WireCursor {
  bytes: Uint8Array = empty;
  view: DataView = new DataView(empty.buffer);
  at = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** Field number and wire type, `number << 3 | type`, for numbers below 2^28. The place is before `end`. */
  tag(end: number): number {
    const byte = this.bytes[this.at]!;
    if (byte < 0x80 && byte > 7) {
      this.at++;
      return byte;
    }
    const start = this.at;
    const tag = this.varint(end);
    // Those above are valid up to 2^32, are used by nobody, and would not be what they are in 32 bits.
    if (tag < 8 || tag >= 2 ** 31) throw new InvalidDataError(`byte ${start}: ${tag} is no field tag`);
    if (tag < 0x80) throw new InvalidDataError(`byte ${start}: the field tag ${tag} is in an unusual form`);
    return tag;
  }

  /** The length of what follows: gives where that ends. */
  length(end: number): number {
    const { bytes } = this;
    const byte = bytes[this.at]!;
    let length = byte;
    if (byte < 0x80 && this.at < end) this.at++;
    else length = this.varint(end);
    if (length > end - this.at)
      throw new InvalidDataError(
        `byte ${this.at}: a field of ${length} bytes is cut off: ${end - this.at} are left of what it is in`,
      );
    return this.at + length;
  }

  /** An unsigned varint of at most 64 bits; above 2^53 the nearest double. */
  varint(end: number): number {
    const { bytes } = this;
    const start = this.at;
    let value = 0;
    let scale = 1;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      // Of the tenth byte one bit is left of 64.
      value += (at - start === 9 ? byte & 1 : byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at + 1;
        return value;
      }
      if (at - start === 9) throw new InvalidDataError(`byte ${start}: a varint is longer than 10 bytes`);
      scale *= 128;
    }
    throw new InvalidDataError(`byte ${start}: a varint is cut off`);
  }

  /** The low 32 bits of a varint: what int32, uint32 and enums hold. */
  varint32(end: number): number {
    const { bytes } = this;
    const start = this.at;
    this.varint(end);
    let value = 0;
    for (let at = start, shift = 0; at < this.at && shift < 32; at++, shift += 7)
      value |= (bytes[at]! & 0x7f) << shift;
    return value;
  }

  sint32(end: number): number {
    const value = this.varint32(end);
    return (value >>> 1) ^ -(value & 1);
  }

  /** An int64 as a varint, exact. */
  int64(end: number): bigint {
    const start = this.at;
    this.varint(end);
    let value = 0n;
    for (let at = this.at - 1; at >= start; at--) value = (value << 7n) | BigInt(this.bytes[at]! & 0x7f);
    return BigInt.asIntN(64, value);
  }

  double(end: number): number {
    const at = this.#take(8, end);
    return this.view.getFloat64(at, true);
  }

  /** An unsigned integer of 64 bits; above 2^53 the nearest double. */
  fixed64(end: number): number {
    const at = this.#take(8, end);
    return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
  }

  /** Nanoseconds as a fixed64, in whole microseconds: what is left over is cut. */
  nanosAsUs(end: number): number {
    const at = this.#take(8, end);
    return usOfNanos(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
  }

  /** Goes past the payload of a field that is not read. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case varintType:
        this.varint(end);
        break;
      case fixed64Type:
        this.#take(8, end);
        break;
      case bytesType:
        this.at = this.length(end);
        break;
      case groupStartType:
        this.#skipGroup(end);
        break;
      case fixed32Type:
        this.#take(4, end);
        break;
      default:
        throw new InvalidDataError(`byte ${this.at}: field ${tag >>> 3} has the wire type ${tag & 7}`);
    }
  }

  /** @throws InvalidDataError unless the field is of this wire type */
  expect(tag: number, wireType: number): void {
    if ((tag & 7) !== wireType)
      throw new InvalidDataError(
        `byte ${this.at}: field ${tag >>> 3} has the wire type ${tag & 7}, not ${wireType}`,
      );
  }

  #take(length: number, end: number): number {
    const { at } = this;
    if (end - at < length)
      throw new InvalidDataError(
        `byte ${at}: a field of ${length} bytes is cut off: ${end - at} are left of what it is in`,
      );
    this.at = at + length;
    return at;
  }

  /** Groups are of older days, but may be unknown fields; without recursion, since depth comes from outside. */
  #skipGroup(end: number): void {
    const start = this.at;
    for (let depth = 1; depth > 0; ) {
      if (this.at >= end) throw new InvalidDataError(`byte ${start}: a group has no end`);
      const tag = this.tag(end);
      if ((tag & 7) === groupStartType) depth++;
      else if ((tag & 7) === groupEndType) depth--;
      else this.skip(tag, end);
    }
  }
}

/** Whole microseconds of nanoseconds in two halves of 32 bits, exact: 2^32 is 4294967 thousands and 296. */
export function usOfNanos(high: number, low: number): number {
  return high * 4_294_967 + Math.floor((high * 296 + low) / 1000);
}
