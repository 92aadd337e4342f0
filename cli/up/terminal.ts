import type { WriteStream } from 'node:tty';
import type { ViewSize } from './view.ts';

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

type Output = Pick<WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off'>;

/**
 * Draws lines over one another on the terminal's alternate screen, so that a resize leaves no remains and the user's screen is as it
 * was at the end. `close` is safe when repeated, and must run before the process ends.
 */
export class Terminal {
  readonly #output: Output;
  readonly #onResize: () => void;
  #lines: readonly string[] = [];
  #isOpen = false;

  /** @param onResize draws anew for the new size */
  constructor(output: Output, onResize: () => void) {
    this.#output = output;
    this.#onResize = onResize;
  }

  get size(): ViewSize {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#output.write(enter);
    this.#output.on('resize', this.#onResize);
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#lines = lines;
    // The last line ends without a newline, which would scroll a full screen.
    this.#output.write(`${home}${lines.map((line) => `${line}${clearLine}`).join('\r\n')}${clearBelow}`);
  }

  /** Gives the screen back, with the last lines on it. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.off('resize', this.#onResize);
    this.#output.write(`${leave}${this.#lines.map((line) => `${line}\n`).join('')}`);
  }
}
