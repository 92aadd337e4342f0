import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fixedPort } from '../process/fixed-port.ts';

/** Times are short, so that what waits for them is. All else is as it is by default, but for what a test would take long to reach. */
export const victimConfig = {
  grpc: {
    port: 0,
    limits: {
      handshake_timeout: '2s',
      hello_timeout: '2s',
      max_connections_per_address: 300,
      max_buffered_bytes_per_address: '32MiB',
    },
  },
  http: { port: 0, limits: { headers_timeout: '1s', request_timeout: '2s' } },
  admin: { port: 0, limits: { headers_timeout: '1s', request_timeout: '2s' } },
};

/** A port for Prometheus. */
const pullReader = (port: number) => ({ pull: { exporter: { prometheus: { host: '127.0.0.1', port } } } });

/** Of the ports that the collector tells of. */
interface Addresses {
  readonly grpc: string;
  readonly http: string;
  readonly admin: string;
}

interface Answers {
  readonly addresses: Addresses;
  readonly memory: number;
  readonly logs: readonly string[];
  readonly failures: readonly string[];
  readonly turns: Turns;
}

/** What its event loop did. */
export interface Turns {
  /** The longest that one turn kept the thread busy. */
  readonly busiestMs: number;
  /** How long the thread has waited for a processor since the start, which is the machine's doing. */
  readonly waitedMs: number;
}

/** The collector that is attacked, in a process of its own. */
export class Victim {
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-victim-'));
  addresses!: Addresses & { readonly prometheus: string };

  private constructor(config: object, prometheusPort: number) {
    const program = path.join(import.meta.dirname, 'fixtures', 'victim.ts');
    const text = JSON.stringify({
      ...config,
      meter_provider: { readers: [pullReader(prometheusPort)] },
      streamgauge: { data_dir: this.#folder },
    });
    this.#process = fork(program, [text], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    // Many may ask at one time.
    this.#process.setMaxListeners(0);
  }

  static async start(config: object = victimConfig): Promise<Victim> {
    const prometheusPort = await fixedPort();
    const victim = new Victim(config, prometheusPort);
    victim.addresses = {
      ...(await victim.#answer('addresses')),
      prometheus: `127.0.0.1:${prometheusPort}`,
    };
    return victim;
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The port of one of its addresses. */
  port(name: keyof Victim['addresses']): number {
    return Number(this.addresses[name].split(':').at(-1));
  }

  /** Bytes in use when garbage has been collected. */
  memory(): Promise<number> {
    return this.#ask('memory');
  }

  /** Log entries as JSON. */
  logs(): Promise<readonly string[]> {
    return this.#ask('logs');
  }

  turns(): Promise<Turns> {
    return this.#ask('turns');
  }

  /** What should never be: bugs that were logged, and errors that nobody caught. */
  failures(): Promise<readonly string[]> {
    return this.#ask('failures');
  }

  async stop(): Promise<void> {
    if (this.isAlive) {
      const exit = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ask<Name extends keyof Answers>(name: Name): Promise<Answers[Name]> {
    this.#process.send(name);
    return this.#answer(name);
  }

  #answer<Name extends keyof Answers>(name: Name): Promise<Answers[Name]> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: Partial<Answers>): void => {
        const found = message[name];
        if (found === undefined) return;
        off();
        resolve(found as Answers[Name]);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        off();
        reject(new Error(`the collector ended with ${code ?? signal}`));
      };
      const off = (): void => {
        this.#process.off('message', onMessage).off('exit', onExit);
      };
      this.#process.on('message', onMessage).on('exit', onExit);
    });
  }
}
