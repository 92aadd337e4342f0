// HTTP/2 frames as bytes (RFC 9113), valid or not as the caller likes.

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = noBytes): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

const noBytes = new Uint8Array();

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Settings by their numbers; none by default. */
export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const payload = Buffer.alloc(6 * Object.keys(values).length);
  for (const [i, [id, value]] of Object.entries(values).entries()) {
    payload.writeUInt16BE(Number(id), 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(frameType.settings, 0, 0, payload);
}

export const settingsAck = frame(frameType.settings, flag.ack, 0);
export const initialWindowSize = 4;

/** A header block of literals that no table remembers (RFC 7541, 6.2.2). */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), hpackText(name), hpackText(value)]),
  );
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  let rest = bytes.length;
  if (rest < 127) length.push(rest);
  else {
    length.push(127);
    rest -= 127;
    while (rest >= 128) {
      length.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const connectFields: Readonly<Record<string, string>> = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/streamgauge.v1.TelemetryStream/Connect',
  ':authority': 'localhost',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Opens a call of TelemetryStream/Connect. */
export function openStream(stream: number, fields: Readonly<Record<string, string>> = {}): Buffer {
  const block = headerBlock({ ...connectFields, ...fields });
  return frame(frameType.headers, flag.endHeaders, stream, block);
}

export function data(stream: number, payload: Uint8Array, flags = 0): Buffer {
  return frame(frameType.data, flags, stream, payload);
}

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The whole frames in what was received. */
export function framesIn(bytes: Buffer): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}
