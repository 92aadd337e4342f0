import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StreamgaugeError } from '../../proto/error.ts';

/*
 * Node has no flock. What dies with its process, however that ends, is a listening socket.
 *
 * Each process that wants the directory first publishes a listening Unix socket in it, under a name that is never used again (`lock.PID.RANDOM`),
 * and then looks at all others. One that takes connections belongs to a living process: ours goes away again. One that refuses them is
 * dead and is removed. Of two processes, the one that looks later sees the other, so never do both get through; when each sees the
 * other, both step back and try again after a random time. The name appears (by rename) only once the socket listens, so one that refuses
 * is dead for good. Such sockets are found from other containers that mount the directory, though not from other machines.
 *
 * Where the file system has no sockets, the lock is an address of the machine's own instead, named after the directory's device and inode.
 */

/** Who holds a directory, as it says itself. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  /** Whether it has the directory; else it is about to look whether it may. */
  readonly holds: boolean;
}

export interface DirectoryLock {
  /** Lets the directory go. Safe to repeat. */
  release(): Promise<void>;
}

const lockName = /^lock\.\d+\.[0-9a-f]{16}$/;
const claimName = /^claim\.\d+\.[0-9a-f]{16}$/;
const answerMs = 500;
const maxAnswerBytes = 1024;
const tries = 8;
const claimAgeMs = 60_000;

/**
 * Takes the directory for this process.
 *
 * @param hasSockets whether file systems of this machine can hold sockets at all
 * @throws StreamgaugeError `config` when another process holds it, in a sentence that says who; the platform's error when there can be no lock
 */
export async function lockDirectory(
  directory: string,
  hasSockets = process.platform !== 'win32',
): Promise<DirectoryLock> {
  const reach = reachable(directory);
  try {
    for (let round = 1; ; round++) {
      const lock = hasSockets ? await publish(directory, reach) : undefined;
      if (lock === undefined) return await lockAddress(directory, machineAddress(directory));
      const others = (await living(directory, reach, true)).filter(({ name }) => name !== lock.name);
      if (others.length === 0) {
        lock.hold();
        removeOldClaims(directory);
        return lock;
      }
      await lock.release();
      const holding = others.find(({ holder }) => holder?.holds);
      // Another that only wants it steps back as well.
      if (holding !== undefined || round === tries)
        throw heldError(directory, (holding ?? others[0]!).holder);
      await delay(20 + Math.random() * 60);
    }
  } finally {
    reach.close();
  }
}

/** Who holds the directory; `unknown` where somebody does and does not say. Nothing is written. */
export async function directoryHolder(directory: string): Promise<LockHolder | 'unknown' | undefined> {
  const reach = reachable(directory);
  try {
    const [one] = await living(directory, reach, false);
    if (one !== undefined) return one.holder ?? 'unknown';
    if (process.platform !== 'linux' && process.platform !== 'win32') return undefined;
    const answer = await ask(machineAddress(directory));
    return answer === 'dead' ? undefined : (answer ?? 'unknown');
  } finally {
    reach.close();
  }
}

interface PublishedLock extends DirectoryLock {
  readonly name: string;
  /** From here on it says that it has the directory. */
  hold(): void;
}

/** `undefined` when this file system has no sockets. */
async function publish(directory: string, reach: Reach): Promise<PublishedLock | undefined> {
  const id = `${process.pid}.${randomBytes(8).toString('hex')}`;
  const claim = path.join(directory, `claim.${id}`);
  const name = `lock.${id}`;
  let holds = false;
  const server = answeringServer(() => holds);
  try {
    await listen(server, reach.to(`claim.${id}`));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'ENOSYS', 'EINVAL', 'ENAMETOOLONG'].includes(code)) {
      // EPERM is also what a directory says that may not be written to.
      fs.accessSync(directory, fs.constants.W_OK);
      return undefined;
    }
    throw error;
  }
  const release = async (): Promise<void> => {
    fs.rmSync(path.join(directory, name), { force: true });
    fs.rmSync(claim, { force: true });
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  try {
    fs.renameSync(claim, path.join(directory, name));
  } catch (error) {
    await release();
    throw error;
  }
  const hold = (): void => {
    holds = true;
  };
  return { name, hold, release };
}

async function lockAddress(directory: string, address: string): Promise<DirectoryLock> {
  if (process.platform !== 'linux' && process.platform !== 'win32')
    throw new StreamgaugeError(
      'config',
      `the data directory ${directory} cannot be locked: its path is too long for a socket, or its file system has none; choose another with --data-dir, or keep no state with --memory`,
    );
  const server = answeringServer(() => true);
  try {
    await listen(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const answer = await ask(address);
    throw heldError(directory, answer === 'dead' ? undefined : answer);
  }
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function answeringServer(holds: () => boolean): net.Server {
  const self = { pid: process.pid, host: os.hostname(), sinceMs: Date.now() };
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(answerMs, () => socket.destroy());
    socket.resume().end(JSON.stringify({ ...self, holds: holds() } satisfies LockHolder));
  });
  // It shall not keep a process alive that has nothing else to do.
  return server.unref();
}

function listen(server: net.Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      // What fails later is a single connection.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** All locks of living processes, ours among them. */
async function living(
  directory: string,
  reach: Reach,
  removesDead: boolean,
): Promise<{ name: string; holder: LockHolder | undefined }[]> {
  const found: { name: string; holder: LockHolder | undefined }[] = [];
  for (const name of readNames(directory).filter((each) => lockName.test(each))) {
    if (!isSocket(path.join(directory, name))) continue;
    const answer = await ask(reach.to(name));
    if (answer !== 'dead') found.push({ name, holder: answer });
    else if (removesDead) fs.rmSync(path.join(directory, name), { force: true });
  }
  return found;
}

/** `undefined` when somebody is there and does not say who, as a stopped process does. */
function ask(address: string): Promise<LockHolder | 'dead' | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(address);
    const end = (answer: LockHolder | 'dead' | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), answerMs);
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => {
      text += data;
      if (text.length > maxAnswerBytes) end(undefined);
    });
    socket.on('end', () => end(holderFrom(text)));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'dead' : undefined),
    );
  });
}

function holderFrom(text: string): LockHolder | undefined {
  try {
    const { pid, host, sinceMs, holds } = JSON.parse(text) as Partial<LockHolder>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof holds !== 'boolean') return undefined;
    return Number.isNaN(new Date(sinceMs ?? Number.NaN).getTime())
      ? undefined
      : { pid, host, sinceMs: sinceMs!, holds };
  } catch {
    return undefined;
  }
}

/** Left by a process that was killed between two lines of this file. */
function removeOldClaims(directory: string): void {
  for (const name of readNames(directory).filter((each) => claimName.test(each))) {
    const file = path.join(directory, name);
    const stats = fs.lstatSync(file, { throwIfNoEntry: false });
    if (stats?.isSocket() && Date.now() - stats.mtimeMs > claimAgeMs) fs.rmSync(file, { force: true });
  }
}

function heldError(directory: string, holder: LockHolder | undefined): StreamgaugeError {
  return new StreamgaugeError(
    'config',
    `the data directory ${directory} is held by ${holderText(holder)}: stop that one, choose another directory with --data-dir, or keep no state with --memory`,
  );
}

/** For sentences: `process 12 on host, since 2026-11-03T10:00:00.000Z`. */
export function holderText(holder: LockHolder | 'unknown' | undefined): string {
  if (holder === undefined || holder === 'unknown') return 'another process, which does not say which';
  const { pid, host, sinceMs } = holder;
  return `process ${pid} on ${host.replace(/[^\P{C}]/gu, '\ufffd')}, since ${new Date(sinceMs).toISOString()}`;
}

interface Reach {
  /** An address for the file of this name in the directory. */
  to(name: string): string;
  close(): void;
}

/** Addresses of sockets have at most 107 bytes, paths more: on Linux a descriptor of the directory stands for its path. */
function reachable(directory: string): Reach {
  if (process.platform !== 'linux')
    return { to: (name) => path.join(directory, name), close: () => undefined };
  const fd = fs.openSync(directory, 'r');
  const base = fs.existsSync(`/proc/self/fd/${fd}`) ? `/proc/self/fd/${fd}` : directory;
  return { to: (name) => `${base}/${name}`, close: () => fs.closeSync(fd) };
}

/** On Linux an abstract address (as long as can be, since versions of Node differ in how they fill it up), on Windows a named pipe. */
function machineAddress(directory: string): string {
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  const name = `streamgauge.${dev}.${ino}.`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}lock` : `\0${name.padEnd(107, 'x')}`;
}

function readNames(directory: string): string[] {
  return fs.readdirSync(directory);
}

function isSocket(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSocket() === true;
}
