import type { DestinationStream } from 'pino';
import { harmless } from './terminal-text.ts';

const kept = 32;
const warnLevel = 40;

/**
 * Keeps the messages of a pino log's last entries, for a screen that has no room for the log itself, and once the screen is gone
 * hands them on.
 */
export class LogTail implements DestinationStream {
  readonly messages: string[] = [];
  /** Gets each message from now on. */
  follow: ((message: string) => void) | undefined;

  write(line: string): void {
    let entry: { level?: unknown; time?: unknown; msg?: unknown };
    try {
      entry = JSON.parse(line) as typeof entry;
    } catch {
      return;
    }
    const time = new Date(typeof entry.time === 'number' ? entry.time : Date.now())
      .toTimeString()
      .slice(0, 8);
    const mark = Number(entry.level) >= warnLevel ? '! ' : '';
    const message = harmless(`${time} ${mark}${String(entry.msg ?? '')}`);
    this.messages.push(message);
    this.follow?.(message);
    if (this.messages.length > kept) this.messages.shift();
  }
}
