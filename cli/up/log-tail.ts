import type { DestinationStream } from 'pino';

const kept = 32;
const warnLevel = 40;

/** Keeps the messages of a pino log's last entries, for a screen that has no room for the log itself. */
export class LogTail implements DestinationStream {
  readonly messages: string[] = [];

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
    this.messages.push(`${time} ${mark}${String(entry.msg ?? '')}`);
    if (this.messages.length > kept) this.messages.shift();
  }
}
