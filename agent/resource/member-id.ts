import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { StreamgaugeError } from '../../proto/error.ts';

export interface MemberIdOptions {
  /** `agent_id` of the configuration. */
  readonly configured?: string | undefined;
  /** Where the agent keeps its state; made when it is missing. */
  readonly stateDirectory?: string | undefined;
  /** See `machineId`. */
  readonly machineId?: string | undefined;
  /** See `containerId`: containers of one image may have one machine id. */
  readonly containerId?: string | undefined;
  readonly log: { warn(fields: object, message: string): void };
  /** The state directory cannot be used. Called after the warning that says so. */
  readonly onUnusable?: (() => void) | undefined;
}

const fileName = 'member-id';
const maxBytes = 256;

/** What machine-id(5) asks for: an id that is of this application only, from which the machine's cannot be found. */
const application = 'streamgauge member id v1';

/**
 * Who this agent is, the same over its restarts: the configured id; else the one in the state directory's file `member-id`,
 * which is made at random on first use (mode 0600); else one made from the machine's and the container's id; else, with a
 * warning, a random one that holds for this process only.
 *
 * @returns 1 to 256 bytes of UTF-8
 * @throws StreamgaugeError `config` when the configured id, or the one in the file, is empty or too long or has control characters
 */
export function memberId(options: MemberIdOptions): string {
  const { configured, stateDirectory, machineId, containerId, log } = options;
  if (configured !== undefined) return valid(configured, 'agent_id', 'choose another');
  if (stateDirectory !== undefined) {
    const file = path.join(stateDirectory, fileName);
    const kept = keptIn(file, options);
    if (kept !== undefined) return valid(kept, file, 'remove the file to get a new id, or set agent_id');
  }
  if (machineId !== undefined) {
    const digest = createHmac('sha256', machineId)
      .update(`${application}\0${containerId ?? ''}`)
      .digest();
    return uuidOf(digest);
  }
  log.warn(
    {},
    'there is no agent_id, no state directory that can be written and no machine id: the agent is a new member each time it starts, and totals count it anew; set agent_id or a state directory',
  );
  return randomUUID();
}

/** What the file holds, which is made when there is none; `undefined`, with a warning, when it cannot be read or made. */
function keptIn(file: string, { log, onUnusable }: MemberIdOptions): string | undefined {
  try {
    return readId(file) ?? make(file);
  } catch (error) {
    log.warn(
      { path: file },
      `cannot keep the member id in ${file} (${(error as Error).message}): it is made from the machine id instead, and nothing else is kept there; make the directory writable, or choose another one (--state-dir)`,
    );
    onUnusable?.();
    return undefined;
  }
}

function readId(file: string): string | undefined {
  try {
    const fd = fs.openSync(file, 'r');
    try {
      // One byte more than is allowed, so that too long is seen as such without reading whatever stands there.
      const bytes = Buffer.alloc(maxBytes + 2);
      return bytes.toString('utf8', 0, fs.readSync(fd, bytes)).replace(/\n$/, '');
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Written whole under another name and then linked: the file is never there in part, and of two processes that start at once the
 * second takes what the first made.
 */
function make(file: string): string {
  const directory = path.dirname(file);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const id = randomUUID();
  try {
    fs.writeFileSync(draft, `${id}\n`, { flag: 'wx', mode: 0o600, flush: true });
    fs.linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readId(file) ?? id;
  } finally {
    fs.rmSync(draft, { force: true });
  }
  syncDirectory(directory);
  return id;
}

/** So that the name outlives a power cut too. */
function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function valid(id: string, from: string, wayOut: string): string {
  const bytes = Buffer.byteLength(id);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  if (bytes > 0 && bytes <= maxBytes && !/[\u0000-\u001f\u007f]/.test(id)) return id;
  throw new StreamgaugeError(
    'config',
    `${from}: a member id has 1 to ${maxBytes} bytes and no control characters; found ${JSON.stringify(id.slice(0, 64))} (${bytes} bytes): ${wayOut}`,
  );
}

/** 128 bits of a digest, marked as a UUID of version 4, as systemd does. */
function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
