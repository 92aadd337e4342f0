import { ExpositionReport } from '../../otel/prometheus/exposition-report.ts';
import { expositionContentTypes, negotiateFormat } from '../../otel/prometheus/negotiate.ts';
import type { PrometheusWriter } from '../../otel/prometheus/writer.ts';
import type { Collection } from '../../otel/state/point-batch.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import type { Route } from './route.ts';

/** Scrapes at one time. Prometheus makes one; each costs a pass over all series, and memory for their metrics' names. */
const maxScrapes = 8;

export interface MetricsRouteOptions {
  readonly writer: PrometheusWriter;
  readonly collection: () => Collection | Promise<Collection>;
  /** Resolves once what was read so far may be sent. */
  readonly committed?: (() => Promise<void>) | undefined;
  /** Why nothing may be sent at present; `undefined` when all is well. */
  readonly failure?: (() => StreamgaugeError | undefined) | undefined;
  /** Told of each scrape once it has been sent, or broke off. */
  readonly onScrape: (report: ExpositionReport) => void;
}

/** `/metrics`: the collection in the format that the client prefers. More than eight at a time are told to come back in a second. */
export function metricsRoute(options: MetricsRouteOptions): Route {
  let running = 0;
  return {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics as Prometheus text or OpenMetrics.',
    permission: 'read',
    async handle({ headers }) {
      if (running >= maxScrapes) {
        const message = `${maxScrapes} scrapes are being answered; try again in a second.`;
        throw new StreamgaugeError('overloaded', message, { retryDelayMs: 1000 });
      }
      const failure = options.failure?.();
      if (failure !== undefined)
        throw new StreamgaugeError(
          'unavailable',
          `what was collected is not kept yet, and leaves only then: ${failure.message}`,
          {
            retryDelayMs: 1000,
          },
        );
      running++;
      try {
        const format = negotiateFormat(headers.accept);
        const report = new ExpositionReport();
        const text = options.writer.write(await options.collection(), format, report);
        const release = () => {
          running--;
          options.onScrape(report);
        };
        return {
          status: 200,
          contentType: expositionContentTypes[format],
          body: { [Symbol.iterator]: () => releasing(text, release) },
          sendable: options.committed,
        };
      } catch (error) {
        running--;
        throw error;
      }
    },
  };
}

/** The same pieces. `release` is called once: when they have ended, when one could not be made, or when no more are wanted. */
function releasing(pieces: Generator<string, void>, release: () => void): Iterator<string, void> {
  let isReleased = false;
  const releaseOnce = () => {
    if (!isReleased) release();
    isReleased = true;
  };
  return {
    next() {
      let isLast = true;
      try {
        const next = pieces.next();
        isLast = next.done === true;
        return next;
      } finally {
        if (isLast) releaseOnce();
      }
    },
    return() {
      try {
        return pieces.return();
      } finally {
        releaseOnce();
      }
    },
  };
}
