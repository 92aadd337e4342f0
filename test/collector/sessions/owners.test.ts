import test from 'ava';
import { Owners, type OwningStream } from '../../../collector/sessions/owners.ts';

function stream(incarnation: string, lastReport = 0): OwningStream & { displacedBy: string[] } {
  const displacedBy: string[] = [];
  const peer = `${incarnation}:1`;
  return { incarnation, lastReport, peer, displacedBy, displace: (by) => void displacedBy.push(by) };
}

test('the first stream of a member is granted, and so is any after it has gone', (t) => {
  const owners = new Owners();
  const a = stream('a');
  t.like(owners.claim('m', 'boot', a), { granted: true, lastReport: 0, displaced: undefined });
  owners.release('m', a, 7);
  t.false(owners.isLive('m'));
  t.true(owners.claim('m', 'another boot', stream('b')).granted);
  t.true(owners.isLive('m'));
});

test('the same incarnation takes over, and goes on from the report that the live stream has merged', (t) => {
  const owners = new Owners();
  const first = stream('a', 41);
  owners.claim('m', 'boot', first);
  const claim = owners.claim('m', 'boot', stream('a'));
  t.like(claim, { granted: true, lastReport: 41 });
  t.is(claim.granted ? claim.displaced : undefined, first);
});

test('an incarnation that was never seen takes over from the same boot only', (t) => {
  for (const [held, came, granted] of [
    ['boot', 'boot', true],
    ['boot', 'other', false],
    ['', '', false],
    ['boot', '', false],
  ] as const) {
    const owners = new Owners();
    owners.claim('m', held, stream('a'));
    t.is(owners.claim('m', came, stream('b')).granted, granted, `${held} and ${came}`);
  }
});

test('the displaced one stays out while the other lives, and may come when that is gone', (t) => {
  const owners = new Owners();
  const old = stream('old');
  const young = stream('young');
  owners.claim('m', 'boot', old);
  owners.claim('m', 'boot', young);
  owners.release('m', old, 9);
  t.true(owners.isLive('m'), 'the release of a displaced stream does not free the member');
  const again = owners.claim('m', 'boot', stream('old'));
  t.false(again.granted);
  t.is(again.granted ? undefined : again.holder, young);
  owners.release('m', young, 1);
  t.like(owners.claim('m', 'boot', stream('old')), { granted: true, lastReport: 9 });
});

test('a late release does not take back what is known', (t) => {
  const owners = new Owners();
  const a = stream('a');
  owners.claim('m', 'boot', a);
  owners.release('m', a, 9);
  owners.release('m', a, 3);
  t.like(owners.claim('m', 'boot', stream('a')), { lastReport: 9 });
});

test('members do not know of each other, and a live one is not forgotten', (t) => {
  const owners = new Owners();
  const a = stream('a');
  owners.claim('m', 'boot', a);
  t.true(owners.claim('n', 'other', stream('b')).granted);
  owners.forget('m');
  t.true(owners.isLive('m'));
  owners.release('m', a, 5);
  owners.forget('m');
  t.like(owners.claim('m', 'boot', stream('a')), { lastReport: 0 });
});

test('the last sixteen incarnations are remembered', (t) => {
  const owners = new Owners();
  for (let i = 0; i < 20; i++) {
    const one = stream(`${i}`);
    owners.claim('m', 'boot', one);
    owners.release('m', one, i + 1);
  }
  const newest = stream('19');
  t.like(owners.claim('m', 'boot', newest), { lastReport: 20 });
  owners.release('m', newest, 20);
  t.like(owners.claim('m', 'boot', stream('0')), { lastReport: 0 });
});
