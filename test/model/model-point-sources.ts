import type { Attributes } from '../../otel/model/attributes.ts';
import type { CatalogueSeries } from './catalogue.ts';
import { evictionUs, keyOf, longestStalenessUs, type ModelMembers } from './model-members.ts';
import { type ModelPointRules, PointHistory, type SentPoint, type Taken } from './model-points.ts';
import { ModelSeries } from './model-series.ts';
import { isCounter } from './model-values.ts';

/** What sources without epochs tell by points: docs/aggregation.md, "Where a source has no epoch", "Presence". */
export class ModelPointSources {
  readonly #members: ModelMembers;
  readonly #rules: ModelPointRules;

  constructor(members: ModelMembers, rules: ModelPointRules) {
    this.#members = members;
    this.#rules = rules;
  }

  /** Whether a source of points is known, and its series with it: otherwise it has to say who and what it is. */
  knows(id: string, of: CatalogueSeries): { member: boolean; series: boolean } {
    const member = this.#members.byId.get(id);
    return { member: member !== undefined, series: member?.series.has(keyOf(of)) ?? false };
  }

  define(id: string, resource: Attributes, of: CatalogueSeries, nowUs: number): void {
    const member = this.#members.join(id, resource, nowUs);
    const key = keyOf(of);
    if (member.series.has(key)) return;
    const history = new PointHistory(this.#rules);
    const given = { of, member, resource, epoch: '', clock: { timeUs: 0 }, leftUs: nowUs, history };
    member.series.set(key, this.#members.newSeries(new ModelSeries(given)));
  }

  /** A point of a source without epochs. */
  take(id: string, of: CatalogueSeries, point: SentPoint, nowUs: number): Taken['outcome'] {
    const member = this.#members.byId.get(id)!;
    const series = member.series.get(keyOf(of))!;
    series.isEnded = false;
    const taken = series.history!.take(series, point, nowUs, this.#members.horizonUs);
    const { outcome, counted = 0, setAside = 0 } = taken;
    if (outcome === 'without_value')
      for (const reader of this.#members.windowsOf(series)) series.windowOf(reader).skip(point.timeUs);
    if (!takenOutcomes.has(outcome)) return outcome;
    member.heardUs = nowUs;
    member.reportedUs = nowUs;
    member.isPresent = true;
    series.isPresent = true;
    series.seenUs = nowUs;
    if (isCounter(of.metric)) {
      const booked = this.#members.book(series);
      booked.counted += counted;
      booked.baseline += setAside;
    }
    for (const reader of this.#members.windowsOf(series)) {
      const [value] = series.held as readonly number[];
      series.windowOf(reader).report(value, point.timeUs, series.isAway);
    }
    series.isAway = false;
    return outcome;
  }

  /** A source of points does not send a series any more. */
  retire(id: string, of: CatalogueSeries, reason: 'gone' | 'idle', nowUs: number): void {
    const series = this.#members.byId.get(id)?.series.get(keyOf(of));
    if (reason === 'gone') series?.end(nowUs);
    else if (series !== undefined) {
      series.isEnded = false;
      series.leave(nowUs);
    }
  }

  /** Each series becomes stale by itself, and is freed a day after that. */
  tick(nowUs: number): void {
    for (const series of this.#members.series) {
      if (series.history === undefined || series.isEnded) continue;
      if (series.isPresent) {
        if (series.seenUs < nowUs - longestStalenessUs) series.leave(nowUs);
      } else if (series.leftUs < nowUs - evictionUs) this.#members.evictSeries(series, nowUs);
    }
  }
}

/** Points that are in the state afterwards. */
const takenOutcomes: ReadonlySet<string> = new Set([
  'merged',
  'merged_late',
  'baseline',
  'fell',
  'overlap_summed',
]);
