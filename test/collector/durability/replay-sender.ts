import { draw } from '../../model/growing-values.ts';
import type { ReplayStep } from './replay-steps.ts';

type Step = Extract<ReplayStep, { do: 'send' }>;

/** A service that sends OTLP: requests whose values are whole numbers and quarters. */
export class ReplaySender {
  readonly #id: string;
  #startUs: number;
  #lastUs: number;
  /** Jobs, since it was started. */
  count = 0;

  constructor(place: number, nowUs: number) {
    this.#id = `sender-${place}`;
    this.#startUs = nowUs;
    this.#lastUs = nowUs;
  }

  /** An ExportMetricsServiceRequest in JSON. */
  request({ seed, isDelta, isRestarted }: Step, nowUs: number): Buffer {
    if (isRestarted) {
      this.#startUs = nowUs - 500_000;
      this.count = 0;
    }
    const amount = draw(seed, 1, 20);
    this.count += amount;
    const value = isDelta ? amount : this.count;
    const startUs = isDelta ? this.#lastUs : this.#startUs;
    this.#lastUs = nowUs;
    const times = { startTimeUnixNano: `${startUs}000`, timeUnixNano: `${nowUs}000` };
    const temporality = { aggregationTemporality: isDelta ? 1 : 2 };
    const jobs = { ...times, asInt: `${value}`, attributes: [text('queue', 'q')] };
    const latency = {
      ...times,
      count: `${value}`,
      sum: value / 4,
      bucketCounts: ['0', `${value}`, '0'],
      explicitBounds: [1, 2],
    };
    const metrics = [
      { name: 'jobs', unit: '{job}', sum: { dataPoints: [jobs], isMonotonic: true, ...temporality } },
      { name: 'temperature', gauge: { dataPoints: [{ ...times, asDouble: amount / 4 }] } },
      { name: 'latency', unit: 's', histogram: { dataPoints: [latency], ...temporality } },
    ];
    const resource = { attributes: [text('service.instance.id', this.#id), text('region', 'r1')] };
    const resourceMetrics = [{ resource, scopeMetrics: [{ scope: {}, metrics }] }];
    return Buffer.from(JSON.stringify({ resourceMetrics }));
  }
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
