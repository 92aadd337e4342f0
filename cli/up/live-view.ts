import type { WriteStream } from 'node:tty';
import { LogTail } from './log-tail.ts';
import type { UpStatus } from './status.ts';
import { StatusHistory, type UpView } from './status-history.ts';
import { Terminal } from './terminal.ts';
import { viewLines } from './view.ts';

const refreshMs = 1000;

/** The live summary on a terminal: drawn anew each second and at a resize, with the latest log messages below. */
export class LiveView {
  readonly log = new LogTail();
  readonly #terminal: Terminal;
  readonly #history = new StatusHistory();
  readonly #restore = (): void => this.stop();
  #view: UpView | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: WriteStream) {
    this.#terminal = new Terminal(output, () => this.#draw());
  }

  start(source: () => UpStatus): void {
    this.#terminal.open();
    // Whatever ends the process, a failure too, the user gets the screen back.
    process.once('exit', this.#restore);
    const refresh = (): void => {
      this.#view = this.#history.push(source());
      this.#draw();
    };
    refresh();
    this.#timer = setInterval(refresh, refreshMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    process.off('exit', this.#restore);
    this.#terminal.close();
    this.log.follow = (message) => process.stderr.write(`${message}\n`);
  }

  #draw(): void {
    if (this.#view === undefined) return;
    this.#terminal.draw(viewLines(this.#view, this.log.messages, this.#terminal.size));
  }
}
