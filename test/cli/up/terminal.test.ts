import { EventEmitter } from 'node:events';
import test from 'ava';
import { LogTail } from '../../../cli/up/log-tail.ts';
import { Terminal } from '../../../cli/up/terminal.ts';

class Screen extends EventEmitter {
  columns = 40;
  rows = 10;
  written = '';
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

test('the screen is given back, once, with the last lines on it', (t) => {
  const screen = new Screen();
  const terminal = new Terminal(screen as never, () => {});
  terminal.draw(['too early']);
  t.is(screen.written, '');
  terminal.open();
  terminal.open();
  t.is(screen.written, '\x1b[?1049h\x1b[?25l\x1b[?7l');
  screen.written = '';
  terminal.draw(['a', 'b']);
  t.is(screen.written, '\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J');
  screen.written = '';
  terminal.close();
  terminal.close();
  t.is(screen.written, '\x1b[?7h\x1b[?25h\x1b[?1049la\nb\n');
  t.is(screen.listenerCount('resize'), 0);
});

test('a resize draws anew at the new size', (t) => {
  const screen = new Screen();
  let columns = 0;
  const terminal = new Terminal(screen as never, () => {
    columns = terminal.size.columns;
  });
  terminal.open();
  screen.columns = 25;
  screen.emit('resize');
  t.is(columns, 25);
  terminal.close();
});

test('the tail of a log holds the last messages', (t) => {
  const tail = new LogTail();
  for (let i = 0; i < 50; i++) tail.write(JSON.stringify({ level: 30, time: 0, msg: `m${i}` }));
  tail.write('not JSON');
  tail.write(JSON.stringify({ level: 50, time: 0, msg: 'bad' }));
  t.is(tail.messages.length, 32);
  t.regex(tail.messages.at(-1)!, /^\d\d:\d\d:\d\d ! bad$/);
  t.regex(tail.messages.at(-2)!, / m49$/);
  const followed: string[] = [];
  tail.follow = (message) => followed.push(message);
  tail.write(JSON.stringify({ level: 30, time: 0, msg: 'bye\x1b[2J\n' }));
  t.regex(followed.join('|'), /^\d\d:\d\d:\d\d bye $/);
});
