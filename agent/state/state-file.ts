import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { InvalidDataError, StreamgaugeError } from '../../proto/error.ts';

/** The format: docs/agent-state.md. A change of it raises the version. */
const version = 1;
const magic = 'streamgauge agent state';
const name = 'agent-state';
/** More than the most series that are saved can take. */
const maxBytes = 64 * 1024 * 1024;
/** Files that were set aside; beyond so many the last one is written over. */
const maxAside = 16;

/** What stands in the directory under the state file's name. */
export type FoundState =
  | { readonly kind: 'none' }
  | { readonly kind: 'body'; readonly body: string }
  /** It is not what an agent of this version writes, or not whole. */
  | { readonly kind: 'unusable'; readonly why: string };

/** Where a state is kept. Failures are the platform's errors. */
export interface StateStorage {
  /** For messages. */
  readonly path: string;
  /** Throws when there is something that cannot be read. */
  read(): FoundState;
  /** Gives what is there another name, so that it can be looked at, and tells that. Throws. */
  setAside(now: Date): string;
  /** Before or after `write`, never while one runs. Throws. */
  writeSync(body: string): void;
  /** One at a time. Rejects; what is kept is then what it was. */
  write(body: string): Promise<void>;
}

/** One file that is always there whole: it is written under another name, synced, and renamed. */
export class StateFile implements StateStorage {
  readonly path: string;
  readonly #directory: string;
  readonly #draft: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.path = path.join(directory, name);
    this.#draft = `${this.path}.tmp`;
  }

  read(): FoundState {
    let bytes: Buffer;
    try {
      const { size } = fs.statSync(this.path);
      if (size > maxBytes)
        return { kind: 'unusable', why: `it has ${size} bytes, and at most ${maxBytes} are ever written` };
      bytes = fs.readFileSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
      throw error;
    }
    try {
      return { kind: 'body', body: bodyOf(bytes) };
    } catch (error) {
      return { kind: 'unusable', why: StreamgaugeError.from(error).message };
    }
  }

  setAside(now: Date): string {
    const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
    let to = `${this.path}.unusable-${stamp}`;
    const others = fs
      .readdirSync(this.#directory)
      .filter((entry) => entry.startsWith(`${name}.unusable-`))
      .sort();
    if (others.length >= maxAside) to = path.join(this.#directory, others.at(-1)!);
    fs.renameSync(this.path, to);
    return to;
  }

  writeSync(body: string): void {
    fs.mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const fd = fs.openSync(this.#draft, 'w', 0o600);
    try {
      fs.writeFileSync(fd, fileText(body));
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(this.#draft, this.path);
  }

  async write(body: string): Promise<void> {
    const handle = await fs.promises.open(this.#draft, 'w', 0o600);
    try {
      await handle.writeFile(fileText(body));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(this.#draft, this.path);
  }
}

/** A file's content: a line with the checksum of all that follows it, then the body. */
export function fileText(body: string): string {
  const bytes = Buffer.from(body);
  return `${headerOf(bytes)}${body}`;
}

function headerOf(body: Uint8Array): string {
  return `${magic} ${version} ${body.length} ${crc32(body).toString(16).padStart(8, '0')}\n`;
}

/** @throws InvalidDataError naming what is wrong */
function bodyOf(bytes: Buffer): string {
  const end = bytes.indexOf(10);
  const header = bytes.toString('latin1', 0, end < 0 ? Math.min(bytes.length, 80) : Math.min(end, 80));
  const found = new RegExp(`^${magic} (\\d+) \\d+ [0-9a-f]{8}$`).exec(header);
  if (found === null || end < 0)
    throw new InvalidDataError(`it begins with ${JSON.stringify(header.slice(0, 40))}, not "${magic}"`);
  if (found[1] !== String(version))
    throw new InvalidDataError(`it is of version ${found[1]}, and this agent knows ${version}`);
  const body = bytes.subarray(end + 1);
  if (`${header}\n` !== headerOf(body))
    throw new InvalidDataError(`its ${body.length} bytes are not those that its checksum was made of`);
  return body.toString('utf8');
}
