import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** On Linux the kernel ends the program with us; elsewhere a clean exit of ours does. */
const guard = existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];
const running = new Set<ChildProcess>();
const states = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of states) rmSync(folder, { recursive: true, force: true });
});

function guarded(
  command: string,
  args: readonly string[],
  options: ChildOptions,
  more: { stdin: 'ignore' | 'pipe'; timeout?: number },
): ChildProcess {
  // State that nobody names is each child's own, and goes with it.
  const state = mkdtempSync(path.join(tmpdir(), 'streamgauge-state-'));
  states.add(state);
  const [program, ...rest] = [...guard, command, ...args] as [string, ...string[]];
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...process.env, XDG_STATE_HOME: state, STATE_DIRECTORY: undefined, ...options.env },
    stdio: [more.stdin, 'pipe', 'pipe'],
    timeout: more.timeout,
    killSignal: 'SIGKILL',
  });
  running.add(child);
  child.once('close', () => {
    running.delete(child);
    rmSync(state, { recursive: true, force: true });
    states.delete(state);
  });
  return child;
}

/** What a child may write before the oldest of it is forgotten. */
const maxOutput = 1 << 20;

/**
 * A program that a test runs. Its output (both streams, in order of arrival) is kept for waiting and for messages. It is killed
 * when this process ends, so nothing outlives a test that was stopped.
 */
export class Child {
  readonly command: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #waiting = new Set<() => void>();
  #output = '';
  #ended = false;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.command = [command, ...args].join(' ');
    this.#process = guarded(command, args, options, { stdin: 'ignore' });
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-maxOutput);
        for (const check of this.#waiting) check();
      });
    }
    this.#exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#ended = true;
        for (const check of this.#waiting) check();
        resolve({ code, signal });
      };
      this.#process.once('error', (error) => {
        this.#output += String(error);
        end(null, null);
      });
      this.#process.once('close', end);
    });
  }

  /** The process id; the program's own, since what starts it replaces itself. */
  get pid(): number {
    return this.#process.pid!;
  }

  /** Everything written so far. */
  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Waits for a text in the output.
   *
   * @throws Error with the output so far when the program ends first or the time is up.
   */
  async waitForOutput(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>();
    const check = (): void => {
      const match = pattern.exec(this.#output);
      if (match !== null) found.resolve(match);
      else if (this.#ended) found.reject(this.#error(`ended before it wrote ${pattern}`));
    };
    const timer = setTimeout(
      () => found.reject(this.#error(`did not write ${pattern} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#waiting.add(check);
    check();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  /** Sends SIGKILL and waits for the end. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /**
   * Sends SIGTERM and waits for the end; safe when it has ended already.
   *
   * @returns the exit code, or the signal's name.
   * @throws Error when it has to be killed because it does not end in time.
   */
  async stop(timeoutMs = 30_000): Promise<number | string | null> {
    if (!this.#ended) this.#process.kill('SIGTERM');
    const timeUp = new AbortController();
    const late = delay(timeoutMs, 'late' as const, { signal: timeUp.signal }).catch(() => 'late' as const);
    const outcome = await Promise.race([this.#exited, late]);
    timeUp.abort();
    if (outcome === 'late') {
      await this.kill();
      throw this.#error(`did not end within ${timeoutMs} ms of SIGTERM`);
    }
    return outcome.signal ?? outcome.code;
  }

  /** Waits for it to end by itself. */
  async wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return await this.#exited;
  }

  #error(what: string): Error {
    return new Error(`${this.command} ${what}. It wrote:\n${this.#output.slice(-8000)}`);
  }
}

/** Runs a program to its end. @throws Error with its output when it fails. @returns what it wrote. */
export async function run(
  command: string,
  args: readonly string[],
  options: ChildOptions & { readonly timeoutMs: number; readonly input?: string },
): Promise<string> {
  const child = guarded(command, args, options, { stdin: 'pipe', timeout: options.timeoutMs });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  // A program may end without reading what it is given.
  child.stdin!.on('error', () => {});
  child.stdin!.end(options.input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return output;
  const how =
    signal === 'SIGKILL' ? `was stopped after ${options.timeoutMs} ms` : `ended with ${signal ?? code}`;
  throw new Error(`${[command, ...args].join(' ')} ${how}. It wrote:\n${output.slice(-8000)}`);
}
