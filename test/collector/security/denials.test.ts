import test from 'ava';
import { Denials, denialCounters } from '../../../collector/security/denials.ts';

test('each denial is counted; those of one kind are told of once, then once a minute', (t) => {
  let nowMs = 0;
  const lines: Record<string, unknown>[] = [];
  const counters = denialCounters();
  const denials = new Denials(
    counters,
    (fields) => void lines.push({ ...fields }),
    () => nowMs,
  );
  const denied = (address: string, cause: 'token_invalid' | 'handshake' = 'token_invalid') =>
    denials.denied({ port: 'grpc', address }, { cause, reason: 'why', who: '' });
  for (let port = 1; port <= 100; port++) denied(`10.0.0.1:${port}`);
  t.deepEqual(lines, [{ port: 'grpc', peer: '10.0.0.1:1', cause: 'token_invalid', who: '', reason: 'why' }]);
  denied('10.0.0.2:1');
  denied('10.0.0.1:1', 'handshake');
  t.is(lines.length, 3);
  nowMs = 60_000;
  denied('10.0.0.1:7');
  t.like(lines[3], { peer: '10.0.0.1:7', times: 100 });
  t.like(counters, { token_invalid: 102, handshake: 1 });
  denials.denied({ port: 'grpc', address: 'x' }, { cause: 'handshake', reason: '', who: '' }, true);
  t.is(lines.length, 4);
  t.is(counters.handshake, 2);
});

test('many addresses make few lines', (t) => {
  let nowMs = 0;
  let lines = 0;
  const denials = new Denials(
    denialCounters(),
    () => void lines++,
    () => nowMs,
  );
  for (let i = 0; i < 10_000; i++)
    denials.denied({ port: 'grpc', address: `a${i}` }, { cause: 'token_invalid', reason: '', who: '' });
  t.is(lines, 257);
  nowMs = 60_000;
  denials.denied({ port: 'grpc', address: 'new' }, { cause: 'token_invalid', reason: '', who: '' });
  t.is(lines, 258);
});
