import fs from 'node:fs';

/**
 * A number in a file of /sys, read through a descriptor that stays open. The kernel ends such a descriptor when the device goes,
 * even if another one has taken its name since: the file is then opened again by its path.
 */
export class HeldNumber {
  readonly path: string;
  #fd = -1;

  constructor(path: string) {
    this.path = path;
  }

  /** The number, or `undefined` when there is none to be read. */
  read(): number | undefined {
    const held = this.#fd >= 0;
    const value = this.#readOnce();
    return value === undefined && held ? this.#readOnce() : value;
  }

  close(): void {
    if (this.#fd < 0) return;
    try {
      fs.closeSync(this.#fd);
    } catch {
      // The device is gone, and the descriptor with it.
    }
    this.#fd = -1;
  }

  #readOnce(): number | undefined {
    try {
      if (this.#fd < 0) this.#fd = fs.openSync(this.path, 'r');
      const length = fs.readSync(this.#fd, digits, 0, digits.length, 0);
      let value = 0;
      let i = 0;
      for (; i < length && digits[i]! >= 48 && digits[i]! <= 57; i++) value = value * 10 + digits[i]! - 48;
      if (i > 0) return value;
    } catch {
      // Not there, not ours to read, or the device went: all the same to who asks.
    }
    this.close();
    return undefined;
  }
}

const digits = Buffer.allocUnsafeSlow(32);
