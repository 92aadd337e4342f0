import test from 'ava';
import { IdentityWatch } from '../../../../collector/receivers/otlp/identity-watch.ts';

function watched() {
  const told: string[] = [];
  const clock = { ms: 0 };
  const watch = new IdentityWatch(
    (id) => void told.push(id),
    () => clock.ms,
  );
  const taken = (connection: object, id = 'a') => watch.saw([{ id, taken: 1, contested: 0 }], connection);
  const contested = (connection: object, id = 'a') => watch.saw([{ id, taken: 0, contested: 1 }], connection);
  return { told, clock, taken, contested };
}

test('two connections that contradict each other again and again are told of, once in ten minutes', (t) => {
  const { told, clock, taken, contested } = watched();
  const [one, two] = [{}, {}];
  contested(one);
  for (let i = 0; i < 2; i++) {
    taken(two);
    contested(one);
  }
  t.deepEqual(told, []);
  taken(two);
  contested(one);
  t.deepEqual(told, ['a']);
  for (let i = 0; i < 20; i++) {
    taken(two);
    contested(one);
  }
  t.deepEqual(told, ['a']);
  clock.ms += 600_001;
  for (let i = 0; i < 3; i++) {
    taken(two);
    contested(one);
  }
  t.deepEqual(told, ['a', 'a']);
});

test('a restart, one connection, and requests that come late are no second process', (t) => {
  const { told, clock, taken, contested } = watched();
  const [one, two] = [{}, {}];
  // The last request of the old process comes again and again, while the new one sends.
  taken(two);
  for (let i = 0; i < 9; i++) contested(one);
  // A proxy sends for both.
  for (let i = 0; i < 9; i++) {
    taken(one, 'b');
    contested(one, 'b');
  }
  // Seldom.
  for (let i = 0; i < 9; i++) {
    taken(two, 'c');
    contested(one, 'c');
    clock.ms += 400_000;
  }
  t.deepEqual(told, []);
});
