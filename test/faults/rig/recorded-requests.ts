import { closeSync, openSync, readSync, writeSync } from 'node:fs';

// A file of what a backend was sent: for each request a byte that says whether it was taken, its length (4 bytes, little-endian) and its bytes. A
// request is written down before it is answered, so what is answered is there however the process ends; a part at the end was not answered.

const headerBytes = 5;

/** Appends to the file. */
export class RequestRecorder {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, 'a');
  }

  write(bytes: Uint8Array, isTaken: boolean): void {
    const record = Buffer.alloc(headerBytes + bytes.length);
    record.writeUInt8(isTaken ? 1 : 0);
    record.writeUInt32LE(bytes.length, 1);
    record.set(bytes, headerBytes);
    if (writeSync(this.#fd, record) !== record.length) throw new Error('the disk of this test is full');
  }
}

/** The requests in their order. What a killed process left unfinished is taken out by who writes next: see {@link wholeBytes}. */
export function* recordedRequests(file: string): Generator<{ bytes: Buffer; isTaken: boolean }, number> {
  const fd = openSync(file, 'r');
  try {
    let at = 0;
    const header = Buffer.alloc(headerBytes);
    for (;;) {
      if (readSync(fd, header, 0, headerBytes, at) < headerBytes) return at;
      const bytes = Buffer.alloc(header.readUInt32LE(1));
      if (readSync(fd, bytes, 0, bytes.length, at + headerBytes) < bytes.length) return at;
      at += headerBytes + bytes.length;
      yield { bytes, isTaken: header.readUInt8() === 1 };
    }
  } finally {
    closeSync(fd);
  }
}

/** How many bytes of the file are whole requests. */
export function wholeBytes(file: string): number {
  const requests = recordedRequests(file);
  for (;;) {
    const { done, value } = requests.next();
    if (done) return value;
  }
}
