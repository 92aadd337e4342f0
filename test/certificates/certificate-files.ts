import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Issued } from './certificates.ts';

/** A directory of files that a test makes and changes, removed at its end. */
export class TestFiles {
  readonly directory: string;

  constructor(t: ExecutionContext) {
    this.directory = mkdtempSync(path.join(tmpdir(), 'streamgauge-files-'));
    t.teardown(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  path(name: string): string {
    return path.join(this.directory, name);
  }

  /** Writes a file as a whole, in place of one that may be there. Gives its path. */
  write(name: string, text: string): string {
    const file = this.path(name);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    return file;
  }

  /** `NAME.crt` and `NAME.key`. */
  writeIssued(name: string, { cert, key }: Issued): { readonly certFile: string; readonly keyFile: string } {
    return { certFile: this.write(`${name}.crt`, cert), keyFile: this.write(`${name}.key`, key) };
  }
}
