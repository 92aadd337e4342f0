import { randomBytesOf } from './random-bytes.ts';

// The first message of a TLS handshake by hand (RFC 8446, 4.1.2; RFC 6066, 3), valid but for what it is asked to be.

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Bytes behind their length in 16 bits. */
function vector(...parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

const extension = (type: number, body: Uint8Array): Buffer => Buffer.concat([uint16(type), vector(body)]);

/** The extension that names the server; `declared` is the length that the name claims to have. */
export function serverName(name: string, declared = Buffer.byteLength(name)): Buffer {
  const entry = Buffer.concat([Buffer.from([0]), uint16(declared), Buffer.from(name)]);
  return extension(0, vector(entry));
}

/** A record with a ClientHello of TLS 1.2, with these extensions beside those that it needs. */
export function clientHello(...extensions: readonly Uint8Array[]): Buffer {
  const needed = [
    extension(10, vector(uint16(0x17))),
    extension(11, Buffer.from([1, 0])),
    extension(13, vector(uint16(0x0403))),
  ];
  const body = Buffer.concat([
    uint16(0x0303),
    randomBytesOf(1, 32),
    Buffer.from([0]),
    vector(uint16(0xc02b)),
    Buffer.from([1, 0]),
    vector(...extensions, ...needed),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  return Buffer.concat([Buffer.from([0x16, 3, 1]), vector(message)]);
}

/** What came back: `server hello`, `alert 50`, `nothing`, else what it begins with. */
export function tlsAnswer(reply: Buffer): string {
  if (reply.length === 0) return 'nothing';
  if (reply[0] === 0x16 && reply[5] === 2) return 'server hello';
  if (reply[0] === 0x15) return `alert ${reply[6]}`;
  return reply.subarray(0, 40).toString('latin1');
}
