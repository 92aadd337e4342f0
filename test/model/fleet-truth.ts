import assert from 'node:assert/strict';
import type { CatalogueSeries } from './catalogue.ts';
import { type Amount, isExponential } from './model-values.ts';
import type { ShownPoints } from './shown-points.ts';

/** A series of an agent, and the life of it at hand. */
interface Life {
  readonly key: string;
  readonly epoch: string;
}

interface Reported extends Life {
  readonly of: CatalogueSeries;
  readonly startUs: number;
  readonly value: Amount;
  readonly spoilt: number | undefined;
  readonly isRefused: boolean;
}

/** Outputs that never fall under one start time: counters and histograms for cumulative readers. */
const neverFalling =
  /^[^|]*\|[^|]*\|cumulative\|(?:monotonic(?=\|sum)|(?=\|histogram|\|exponential_histogram))\|(\w+)\|/;

/**
 * What there was to count, and what must hold of outputs whatever the model says. An agent that breaks a promise of the protocol on purpose is
 * noted, as what follows from it cannot be found out by any collector.
 */
export class FleetTruth {
  /** An agent went on with an epoch that it had ended, or let a counter fall within one: what cannot be found out once the state was freed. */
  isPromiseBroken = false;
  /** The highest value of each output under each of its start times. */
  readonly #highest = new Map<string, Map<number, readonly number[]>>();
  /** Start times that an agent gave to two epochs, or under which it let a counter fall. While the series is held, the collector makes up for it; no longer when it was freed. */
  readonly #brokenStarts = new Set<number>();
  /** The highest value of each counter of jobs that an agent has sent, by epoch: what there is to count. */
  readonly #jobs = new Map<string, number>();
  readonly #gone = new Set<string>();
  #last = 0;

  /** A number that was not given before. */
  next(): number {
    return ++this.#last;
  }

  newEpoch(): string {
    return `e${this.next()}`;
  }

  defined({ key, epoch }: Life): void {
    if (this.#gone.has(`${key} ${epoch}`)) this.isPromiseBroken = true;
  }

  gone({ key, epoch }: Life): void {
    if (epoch !== '') this.#gone.add(`${key} ${epoch}`);
  }

  breakStart(startUs: number): void {
    this.#brokenStarts.add(startUs);
  }

  reported({ of, key, epoch, startUs, value, spoilt, isRefused }: Reported): void {
    if (spoilt !== undefined) this.#brokenStarts.add(startUs);
    if (spoilt === 0) this.isPromiseBroken = true;
    if (of.metric.name !== 'jobs' || spoilt !== undefined || isRefused || isExponential(value)) return;
    const life = `${key} ${epoch}`;
    this.#jobs.set(life, Math.max(this.#jobs.get(life) ?? 0, value[0]));
  }

  /** What a scrape sees has not fallen since the last one. */
  neverFalls(found: ShownPoints): void {
    for (const [name, points] of found) {
      const kind = kindOf(name);
      if (kind === 'other') continue;
      let starts = this.#highest.get(name);
      if (starts === undefined) {
        starts = new Map();
        this.#highest.set(name, starts);
      }
      for (const point of points) {
        const [startUs, , isNothing] = point;
        if (isNothing === 1 || startUs === 0 || this.#brokenStarts.has(startUs)) continue;
        const now = countsOf(kind, point);
        const before: readonly number[] | undefined = starts.get(startUs);
        if (before !== undefined)
          for (let i = 0; i < now.length; i++)
            if (now[i] < before[i]) assert.fail(`${name} fell from ${before} to ${now} under one start time`);
        starts.set(startUs, now);
      }
    }
  }

  /** Counted = shown, under all start times, where nothing was set aside as a baseline or refused; never more than that. */
  conserves(isAllCounted: boolean): void {
    if (this.isPromiseBroken) return;
    let truth = 0;
    for (const value of this.#jobs.values()) truth += value;
    let shown = 0;
    for (const [name, starts] of this.#highest)
      if (name.startsWith('jobs.all|')) for (const [value] of starts.values()) shown += value;
    assert.ok(shown <= truth, `${shown} jobs are shown and ${truth} were counted`);
    if (isAllCounted) assert.equal(shown, truth);
  }
}

type Kind = 'sum' | 'histogram' | 'exponential_histogram' | 'other';

const kinds = new Map<string, Kind>();

/** The kind of an output that never falls; `other` for those that may, and for what senders of points say of themselves, which begins anew under old starts. */
function kindOf(name: string): Kind {
  let kind = kinds.get(name);
  if (kind === undefined) {
    const [, found = 'other'] = neverFalling.exec(name) ?? [];
    kind = name.includes('sender-') ? 'other' : (found as Kind);
    kinds.set(name, kind);
  }
  return kind;
}

/** Of histograms their counts and sum; of exponential ones, whose buckets become coarser, how much they have counted. */
function countsOf(kind: Kind, point: readonly number[]): readonly number[] {
  if (kind === 'sum') return point.slice(3);
  if (kind === 'histogram') return point.slice(3, -2);
  let count = point[5];
  for (let at = 9; at < point.length; at += 1 + 2 * point[at])
    for (let i = 0; i < point[at]; i++) count += point[at + 2 + 2 * i];
  return [count];
}
