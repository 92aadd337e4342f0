import test from 'ava';
import { ConflictLog } from '../../../collector/http/conflict-log.ts';
import { type Conflict, ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';

const conflict = (metric: string, points = 1, cause: Conflict['cause'] = 'type_conflict'): Conflict => ({
  metric,
  family: 'f',
  job: 'j',
  instance: 'i',
  cause,
  points,
});

function reportOf(...conflicts: Conflict[]): ExpositionReport {
  const report = new ExpositionReport();
  for (const one of conflicts) report.note(one);
  return report;
}

test('each conflict is told of once, and no more than a thousand', (t) => {
  const told: string[] = [];
  const log = new ConflictLog(({ metric }) => told.push(metric));
  log.scraped(reportOf(conflict('a'), conflict('b')));
  log.scraped(reportOf(conflict('a', 5), conflict('c')));
  t.deepEqual(told, ['a', 'b', 'c']);
  for (let i = 0; i < 2000; i++) log.scraped(reportOf(conflict(`${i}`)));
  t.is(told.length, 1000);
});

test('a target that is there twice is one conflict, whichever of its metrics comes first', (t) => {
  const told: [Conflict, string][] = [];
  const log = new ConflictLog((...one) => told.push(one));
  const twice = (metric: string) => conflict(metric, 3, 'duplicate_series');
  log.scraped(reportOf(conflict('a'), twice('b'), twice('c'), { ...twice('b'), instance: 'other' }));
  log.scraped(reportOf(twice('d')));
  t.deepEqual(
    told.map(([{ metric, instance, points }]) => [metric, instance, points]),
    [
      ['a', 'i', 1],
      ['b', 'i', 6],
      ['b', 'other', 3],
    ],
  );
  t.regex(told[1]![1], /^two sources are job "j", instance "i" at .*host\.name or service\.instance\.id/);
});
