import type { Clock } from '../../otel/clock.ts';
import { attributeText } from '../../otel/model/attributes.ts';
import { Seldom } from '../../otel/stream/seldom.ts';
import type { StreamCounters } from '../../otel/stream/stream-status.ts';
import type { Refuse } from '../../proto/messages/collector-message.ts';
import type { AgentLog } from '../log.ts';
import type { AgentSeries } from '../state/sampling-group.ts';
import type { LeftOut, Place, SeriesBook } from './series-book.ts';
import type { StreamReports } from './stream-reports.ts';

/** How long the same kind of refusal stays unmentioned. */
const logPeriodMs = 10 * 60_000;

/** No delay that a collector names holds a series or a report longer than this. */
const maxDelayMs = 60 * 60_000;

export interface RefusalsOptions {
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly counters: StreamCounters;
}

/**
 * What the agent does about each kind of Refuse. All are counted, and logged seldom: refusals can come with every report.
 *
 * - `epoch_fell`, `epoch_old`: the series opens a new epoch, so the next report carries it under a new number.
 * - `limit`: the series is held back for the delay that was given; when no series is named, all reports are.
 * - `invalid`: the series is not sent on this stream again.
 * - `not_finite`: nothing; the next value may be finite.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #seldom: Seldom;

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#seldom = new Seldom(options.clock, logPeriodMs);
  }

  /** @returns until when no report is wanted, by the monotonic clock; `undefined`: reports go on */
  handle(told: Refuse, { book, finals }: StreamReports): number | undefined {
    const { clock, counters } = this.#options;
    const untilMs =
      told.retryDelayMs === undefined
        ? undefined
        : clock.monotonicMs() + Math.min(told.retryDelayMs, maxDelayMs);
    // Final states have their own ways.
    const refuse = finals.refused(told, untilMs);
    if (refuse === undefined) return undefined;
    counters.refused[refuse.kind] += Math.max(1, refuse.series.length);
    let first: Place | undefined;
    for (const number of refuse.series) {
      // A number that was retired meanwhile: what was refused is no longer sent.
      const place = book.placeOf(number);
      if (place === undefined) continue;
      first ??= place;
      this.#handleSeries(refuse, number, place, book, untilMs);
    }
    this.#tell(refuse, first);
    return refuse.kind === 'limit' && refuse.series.length === 0 ? untilMs : undefined;
  }

  /** The agent itself did not send a series. */
  leftOut(series: AgentSeries, why: LeftOut): void {
    this.#options.counters.leftOut++;
    const times = this.#seldom.due(`left out: ${why}`);
    if (times === undefined) return;
    this.#options.log.warn(
      { metric: series.metric.name, attributes: textOf(series), times },
      `a series was not sent: ${leftOutBecause[why]}`,
    );
  }

  #handleSeries(
    refuse: Refuse,
    number: number,
    place: Place,
    book: SeriesBook,
    untilMs: number | undefined,
  ): void {
    switch (refuse.kind) {
      case 'epoch_fell':
      case 'epoch_old':
        // The cell may hold a later life of the series already.
        if (place.series.epoch !== undefined && place.group.seriesAt(place.cell) === place.series)
          place.group.openEpoch(place.cell);
        return;
      case 'limit':
        book.leaveOut(number, { untilMs });
        return;
      case 'invalid':
      case 'unspecified':
        book.leaveOut(number, undefined);
        return;
      case 'not_finite':
        return;
    }
  }

  #tell(refuse: Refuse, first: Place | undefined): void {
    const refusals = this.#seldom.due(`${refuse.kind} ${refuse.fieldPath.replace(/\d+/g, '')}`);
    if (refusals === undefined) return;
    this.#options.log.warn(
      {
        kind: refuse.kind,
        report: refuse.report,
        series: refuse.series.length,
        ...(first === undefined
          ? {}
          : { metric: first.series.metric.name, attributes: textOf(first.series) }),
        ...(refuse.fieldPath === '' ? {} : { fieldPath: clipped(refuse.fieldPath) }),
        ...(refuse.retryDelayMs === undefined ? {} : { retryDelayMs: refuse.retryDelayMs }),
        refusals,
      },
      `the collector refused ${refuse.series.length === 0 ? 'a report' : 'series'}: ${clipped(refuse.reason) || 'it gave no reason'}; ${consequence(refuse)}`,
    );
  }
}

const leftOutBecause: Record<LeftOut, string> = {
  kind: 'a sampling group holds sums and gauges, and it is of another kind',
  size: 'its name, attributes, scope and resource are too long for one message; shorten them',
  limit: 'the stream has as many series as the collector accepts; it is tried again after a minute',
};

/** As much of a collector's text as a line of a log should hold. */
function clipped(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

function textOf(series: AgentSeries): Record<string, string> {
  return Object.fromEntries(series.attributes.map(([key, value]) => [key, attributeText(value)]));
}

function consequence(refuse: Refuse): string {
  switch (refuse.kind) {
    case 'epoch_fell':
    case 'epoch_old':
      return 'their counters start a new epoch';
    case 'limit':
      if (refuse.series.length === 0) return 'reports wait for the delay it gave';
      return refuse.retryDelayMs === undefined
        ? 'they are not sent on this stream again'
        : 'they are held for the delay it gave';
    case 'invalid':
    case 'unspecified':
      return refuse.series.length === 0 ? 'later reports are sent' : 'they are not sent on this stream again';
    case 'not_finite':
      return 'finite values are sent again';
  }
}
