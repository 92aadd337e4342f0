import type { ExecutionContext } from 'ava';
import type { StreamLimits } from '../../../collector/config/collector-config.ts';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { type Attributes, attributeText } from '../../../otel/model/attributes.ts';
import { auditLedger, type LedgerLine } from '../../../otel/state/audit-ledger.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import { birthUs, Core } from '../core.ts';
import { view } from '../outputs/members.ts';
import type { Counter } from './counters.ts';
import { Run, type RunOptions } from './run.ts';

export const second = 1_000_000;
export const minute = 60;
export const day = 86_400;

/** A point of an output, with what it says was counted. */
export interface Point {
  /** The output and the series' own attributes: `own` is passing, `total` is merged over all members. */
  readonly output: string;
  readonly host: string;
  readonly amount: number;
  readonly startUs: number;
  readonly timeUs: number;
}

interface DeltaReader {
  readonly cursor: ReaderCursor;
  /** Where its last interval ended. */
  endUs: number;
  /** By output and host, what its intervals come to together. */
  readonly added: Map<string, number>;
}

/**
 * A story of members and one counter, told step by step to the collector's core. The counter leaves twice: as it came, and merged over all
 * members. After every step the merged total has not fallen and began when it did, and the ledger holds against the columns. Two delta
 * readers collect meanwhile, one each time that time passes, one every third time; what their intervals come to is compared at the end.
 */
export class Trace {
  readonly core: Core;
  readonly counter: Counter;
  readonly #t: ExecutionContext;
  readonly #readers: readonly [DeltaReader, DeltaReader];
  readonly #batch = new PointBatch();
  /** By merged output, what it was shown with last. */
  readonly #totals = new Map<string, { amount: number; startUs: number }>();
  #waits = 0;

  constructor(
    t: ExecutionContext,
    counter: Counter,
    options: { views?: readonly ViewConfig[]; limits?: Partial<StreamLimits> } = {},
  ) {
    this.#t = t;
    this.counter = counter;
    const { name } = counter.metric;
    const own = view({ name: 'own' }, name);
    const total = view({ name: 'total', resourceKeys: [] }, name);
    this.core = new Core({ ...options, views: [own, total, ...(options.views ?? [])] });
    const reader = () => ({
      cursor: this.core.outputs.addReader('delta'),
      endUs: birthUs,
      added: new Map<string, number>(),
    });
    this.#readers = [reader(), reader()];
  }

  /** Seconds since the collector began, by its clock. */
  get seconds(): number {
    return (this.core.nowUs - birthUs) / second;
  }

  /** An agent says hello. */
  run(id: string, options: RunOptions = {}): Run {
    return new Run(this, id, options);
  }

  /** Time passes, as it does for the collector: what is due expires and is swept. Readers collect before that. */
  wait(seconds: number): void {
    this.core.nowUs += seconds * second;
    this.#collect(this.#readers[0]);
    if (++this.#waits % 3 === 0) this.#collect(this.#readers[1]);
    this.core.sessions.tick();
    this.core.outputs.sweep();
    this.look();
  }

  /** What a scrape sees now. */
  points(): Point[] {
    return this.pointsFor(this.core.outputs.passerBy());
  }

  /** The merged total of the series with these attributes, as a scrape sees it. */
  total(series = ''): number {
    return this.#one(this.points(), `total${series}`).amount;
  }

  /** What passes of a host's series: value, and since when by the source's clock; `undefined` where nothing is shown. */
  own(host: string, series = ''): Point | undefined {
    const found = this.points().filter((point) => point.output === `own${series}` && point.host === host);
    this.#t.true(found.length <= 1, `${host} has one point`);
    return found[0];
  }

  /** The book's line of a member, with the series' kind of amount in what counts have: a histogram counts three of each. */
  booked(member: string): Pick<LedgerLine, 'reported' | 'counted'> & { baseline: number } {
    const lines = auditLedger(this.core.store).filter((line) => line.member === member);
    this.#t.true(lines.length <= 1);
    const each = this.counter.metric.kind === 'sum' ? 1 : 3;
    const { reported = 0, counted = 0, baseline = { amount: 0 } } = lines[0] ?? {};
    return { reported: reported / each, counted: counted / each, baseline: baseline.amount / each };
  }

  /** No merged total has fallen since the last look, or begins at another time, and the ledger balances. */
  look(): void {
    const t = this.#t;
    for (const { output, amount, startUs, timeUs } of this.points()) {
      if (!output.startsWith('total')) continue;
      const before = this.#totals.get(output);
      t.true(amount >= (before?.amount ?? 0), `${output} fell from ${before?.amount} to ${amount}`);
      t.is(startUs, before?.startUs ?? startUs, `${output} begins when it did`);
      t.true(timeUs > startUs);
      this.#totals.set(output, { amount, startUs });
    }
    for (const line of auditLedger(this.core.store)) t.true(line.isBalanced, JSON.stringify(line));
  }

  /**
   * The end of the story: what both delta readers were given comes to the same, for the merged total of each series to what is shown, and for each
   * host to what the story says.
   */
  end(totals: Readonly<Record<string, number>>, hosts: Readonly<Record<string, number>>): void {
    const t = this.#t;
    this.look();
    for (const [output, amount] of Object.entries(totals))
      t.is(this.#one(this.points(), output).amount, amount);
    this.core.nowUs += second;
    for (const reader of this.#readers) {
      this.#collect(reader);
      const added = Object.fromEntries([...reader.added].filter(([, amount]) => amount !== 0));
      t.deepEqual(added, { ...totals, ...hosts });
    }
    this.core.sessions.stop();
  }

  #collect(reader: DeltaReader): void {
    const t = this.#t;
    const { cursor, added } = reader;
    for (const { output, host, amount, startUs, timeUs } of this.pointsFor(cursor)) {
      t.deepEqual([startUs, timeUs], [reader.endUs, this.core.nowUs], 'intervals join without gaps');
      t.true(amount >= 0);
      const key = output.startsWith('own') ? `${output} ${host}` : output;
      added.set(key, (added.get(key) ?? 0) + amount);
    }
    reader.endUs = this.core.nowUs;
    this.core.outputs.delivered(cursor);
  }

  #one(points: readonly Point[], output: string): Point {
    const found = points.filter((point) => point.output === output);
    this.#t.is(found.length, 1, `there is one ${output}`);
    return found[0];
  }

  /** What a reader is given now. */
  pointsFor(cursor: ReaderCursor): Point[] {
    const found: Point[] = [];
    const batch = this.#batch;
    for (const { resource, scopes } of this.core.outputs.collect(cursor, this.core.nowUs).resources)
      for (const { streams } of scopes)
        for (const stream of streams) {
          const { name } = stream.metric;
          if (name !== 'own' && name !== 'total') continue;
          for (const { size } of batchesOf(stream, batch))
            for (let i = 0; i < size; i++)
              found.push({
                output: name + text(batch.seriesAttributes[i].attributes),
                host: text(resource.attributes.filter(([key]) => key === 'host')).trim(),
                amount: this.counter.amount(this.#t, batch, i),
                startUs: batch.startTimeUs[i],
                timeUs: batch.timeUs[i],
              });
        }
    return found;
  }
}

function text(attributes: Attributes): string {
  return attributes.map(([, value]) => ` ${attributeText(value)}`).join('');
}
