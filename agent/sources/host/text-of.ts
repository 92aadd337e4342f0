import { isUtf8 } from 'node:buffer';

/**
 * A name that the kernel gives as bytes, as text. Names need not be UTF-8, attributes must: bytes above 127 of a name that is
 * not are written as `\xNN`, so that different names stay different.
 */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  for (const byte of buffer)
    text += byte < 128 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  return text;
}

/** A path of /proc/mounts or /proc/swaps, where the kernel writes space, tab, newline and backslash as `\040` and so on. */
export function unescapeOctal(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(92)) return bytes;
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i] === 92 ? octal(bytes, i + 1) : -1;
    plain[length++] = code < 0 ? bytes[i]! : code;
    if (code >= 0) i += 3;
  }
  return plain.subarray(0, length);
}

function octal(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 7) return -1;
    value = value * 8 + digit;
  }
  return value < 256 ? value : -1;
}
