import test from 'ava';
import { onHangup } from '../../cli/hangup.ts';

// The signal is the process's own, so these follow one another.

/** How often each was asked for, with a terminal that can be taken away. */
function hearing(terminal: { isThere: boolean }) {
  const heard = { reloads: 0, gone: 0 };
  const end = onHangup({
    reload: async () => void heard.reloads++,
    terminalGone: () => void heard.gone++,
    hasTerminal: () => terminal.isThere,
  });
  return { heard, end };
}

test.serial('without a terminal, SIGHUP is about the configuration', (t) => {
  const { heard, end } = hearing({ isThere: false });
  process.emit('SIGHUP', 'SIGHUP');
  end();
  t.deepEqual(heard, { reloads: 1, gone: 0 });
});

test.serial('on a terminal that is there, too; once it has hung up, it is about that', (t) => {
  const terminal = { isThere: true };
  const { heard, end } = hearing(terminal);
  process.emit('SIGHUP', 'SIGHUP');
  t.deepEqual(heard, { reloads: 1, gone: 0 });
  terminal.isThere = false;
  process.emit('SIGHUP', 'SIGHUP');
  end();
  t.deepEqual(heard, { reloads: 1, gone: 1 });
});

test.serial('nothing is heard once listening has ended', (t) => {
  const { heard, end } = hearing({ isThere: false });
  const before = process.listenerCount('SIGHUP');
  end();
  t.is(process.listenerCount('SIGHUP'), before - 1);
  t.deepEqual(heard, { reloads: 0, gone: 0 });
});
