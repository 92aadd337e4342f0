import { InvalidDataError } from '../error.ts';
import { readVarint, varintEnd } from './varint.ts';

export const varintType = 0;
export const fixed64Type = 1;
export const bytesType = 2;
const groupStartType = 3;
const groupEndType = 4;
const fixed32Type = 5;

/**
 * Walks over the fields of a protobuf message without decoding them, so that unknown ones are skipped. After each `next()` the
 * field's number, wire type and the range of its payload are in `field`, `wireType`, `start` and `end`. Made to be used again.
 */
export class FieldReader {
  bytes: Uint8Array = new Uint8Array(0);
  field = 0;
  wireType = 0;
  start = 0;
  end = 0;
  #at = 0;
  #stop = 0;

  reset(bytes: Uint8Array, start: number, stop: number): void {
    this.bytes = bytes;
    this.#at = start;
    this.#stop = stop;
  }

  /** Goes to the next field; false after the last one. @throws InvalidDataError for bytes that are no protobuf message */
  next(): boolean {
    if (this.#at >= this.#stop) return false;
    this.#tag();
    if (this.wireType === groupStartType) this.#skipGroup();
    else this.#payload();
    return true;
  }

  /** The payload of a varint field. */
  varint(): number {
    this.expect(varintType);
    return readVarint(this.bytes, this.start, this.end);
  }

  /** @throws InvalidDataError when the field is of another wire type */
  expect(wireType: number): void {
    if (this.wireType !== wireType)
      throw new InvalidDataError(
        `field ${this.field} at byte ${this.start} has wire type ${this.wireType}, not ${wireType}`,
      );
  }

  #tag(): void {
    const { bytes } = this;
    const at = this.#at;
    const byte = bytes[at];
    let tag = byte;
    if (byte < 0x80) {
      this.#at = at + 1;
    } else {
      tag = readVarint(bytes, at, this.#stop);
      this.#at = varintEnd(bytes, at, this.#stop);
    }
    if (tag < 8 || tag >= 2 ** 32) throw new InvalidDataError(`${tag} at byte ${at} is no field tag`);
    this.field = tag >>> 3;
    this.wireType = tag & 7;
  }

  #payload(): void {
    const stop = this.#stop;
    let at = this.#at;
    let end: number;
    switch (this.wireType) {
      case varintType:
        end = varintEnd(this.bytes, at, stop);
        break;
      case fixed64Type:
        end = at + 8;
        break;
      case bytesType: {
        const length = readVarint(this.bytes, at, stop);
        at = varintEnd(this.bytes, at, stop);
        end = at + length;
        break;
      }
      case fixed32Type:
        end = at + 4;
        break;
      default:
        throw new InvalidDataError(`field ${this.field} at byte ${at} has wire type ${this.wireType}`);
    }
    if (end > stop)
      throw new InvalidDataError(
        `field ${this.field} at byte ${at} is cut off: it ends at ${end}, after ${stop}`,
      );
    this.start = at;
    this.end = end;
    this.#at = end;
  }

  /** Groups are of older days, but may be unknown fields; without recursion, since depth comes from outside. */
  #skipGroup(): void {
    const { field } = this;
    const start = this.#at;
    for (let depth = 1; depth > 0; ) {
      if (this.#at >= this.#stop)
        throw new InvalidDataError(`the group of field ${field} at byte ${start} has no end`);
      this.#tag();
      if (this.wireType === groupStartType) depth++;
      else if (this.wireType === groupEndType) depth--;
      else this.#payload();
    }
    this.field = field;
    this.wireType = groupStartType;
    this.start = start;
    this.end = this.#at;
  }
}
