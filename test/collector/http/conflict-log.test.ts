import test from 'ava';
import { ConflictLog } from '../../../collector/http/conflict-log.ts';
import { type Conflict, ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';

const conflict = (metric: string, points = 1): Conflict => ({
  metric,
  family: 'f',
  job: 'j',
  instance: 'i',
  cause: 'type_conflict',
  points,
});

function reportOf(...conflicts: Conflict[]): ExpositionReport {
  const report = new ExpositionReport();
  report.conflicts.push(...conflicts);
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
