import type { DiagLogger } from '@opentelemetry/api';
import type { Refuse } from '../../proto/messages/collector-message.ts';
import type { Clock } from '../clock.ts';
import { Seldom } from '../stream/seldom.ts';
import type { StreamLog } from '../stream/stream-log.ts';
import type { StreamSeries } from '../stream/stream-series.ts';
import type { NotTaken } from './service-state.ts';

/** How long an event of one kind stays unmentioned. */
const logPeriodMs = 10 * 60_000;
/** As much of a collector's text as a line of a log should hold. */
const maxTextLength = 500;

/** Tells OpenTelemetry's diagnostic logger what becomes of the stream: changes, not attempts. */
export class ExporterLog implements StreamLog {
  /** Points that were not taken into the state. */
  pointsNotTaken = 0;
  /** What the collector refused last, and why; empty: nothing. */
  lastRefusal = '';
  readonly #logger: DiagLogger;
  readonly #seldom: Seldom;

  constructor(logger: DiagLogger, clock: Clock) {
    this.#logger = logger;
    this.#seldom = new Seldom(clock, logPeriodMs);
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(`streamgauge: ${message}`, fields);
  }

  info(fields: object, message: string): void {
    this.#logger.info(`streamgauge: ${message}`, fields);
  }

  warn(fields: object, message: string): void {
    this.#logger.warn(`streamgauge: ${message}`, fields);
  }

  error(fields: object, message: string): void {
    this.#logger.error(`streamgauge: ${message}`, fields);
  }

  notTaken(why: NotTaken, points: number, metric: string, detail: string): void {
    this.pointsNotTaken += points;
    const times = this.#seldom.due(`not taken: ${why}`);
    if (times === undefined) return;
    this.warn({ metric, points, times }, `points of ${metric} are not exported: ${detail}`);
  }

  /** @param refuse the collector's; `undefined`: this end found it out */
  refused(what: string, refuse: Refuse | undefined, series: StreamSeries | undefined): void {
    const reason = refuse === undefined ? what : `the collector refused ${what}: ${clipped(refuse.reason)}`;
    this.lastRefusal = reason;
    const times = this.#seldom.due(`refused: ${refuse?.kind ?? what.replace(/\d+/g, '')}`);
    if (times === undefined) return;
    const metric = series === undefined ? {} : { metric: series.metric.name };
    if (refuse === undefined) this.warn({ ...metric, times }, `a series is not exported: ${reason}`);
    else this.warn({ ...metric, kind: refuse.kind, report: refuse.report, times }, reason);
  }
}

function clipped(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text || 'it gave no reason';
}
