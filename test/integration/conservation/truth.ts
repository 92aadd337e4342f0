import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';

// What was counted, recorded plainly and apart from everything that is tested.

/** One life of a counter. */
export interface Life {
  readonly token: string;
  /** By `performance.now()`; `undefined`: nobody knows. */
  readonly beganMs: number | undefined;
  readonly startTimeUs: number;
  /** What stood on the counter before the collector could know of it: merged outputs leave it out. */
  readonly baseline: number;
  value: number;
  /** When its agent was killed: what the collector had acknowledged or merged by then. What came after may have been seen or not. */
  seenAtDeath: number | undefined;
}

let lives = 0;

/** A new life that begins now, at zero. */
export function newLife(kind: string): Life {
  const number = ++lives;
  return {
    token: `${kind}.${number}`,
    beganMs: performance.now(),
    // No two lives begin at one time, so that a start time tells which life it is.
    startTimeUs: Date.now() * 1000 + (number % 1000),
    baseline: 0,
    value: 0,
    seenAtDeath: undefined,
  };
}

/** A life from before all this, with what stands on it. */
export function oldLife(kind: string, value: number, isBeginKnown: boolean): Life {
  const life = newLife(kind);
  const hourMs = 3_600_000;
  return {
    ...life,
    beganMs: isBeginKnown ? life.beganMs! - hourMs : undefined,
    startTimeUs: life.startTimeUs - hourMs * 1000,
    baseline: value,
    value,
  };
}

/** A counter through all of its lives, the present one last. */
export class KnownCounter {
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  readonly lives: Life[];

  constructor(of: MetricDescription, its: Parameters<typeof attributes>[0], first: Life) {
    this.metric = of;
    this.attributes = attributes(its);
    this.lives = [first];
  }

  get life(): Life {
    return this.lives.at(-1)!;
  }

  /** What merged outputs must show of it: exactly `most`, but for what died unseen with an agent. */
  get counted(): Range {
    return sumOf(
      this.lives.map(({ value, baseline, seenAtDeath }) => ({
        least: (seenAtDeath ?? value) - baseline,
        most: value - baseline,
      })),
    );
  }
}

export interface Range {
  readonly least: number;
  readonly most: number;
}

export function sumOf(ranges: readonly Range[]): Range {
  return ranges.reduce((sum, { least, most }) => ({ least: sum.least + least, most: sum.most + most }), {
    least: 0,
    most: 0,
  });
}

const counter = { kind: 'sum', isMonotonic: true } as const;

/** The kernel's: they live on when an agent dies. */
export const diskIo = metric({ name: 'disk.io', unit: 'By', valueType: 'int', ...counter });
/** Kept in the agent's process: they die with it. */
export const requests = metric({ name: 'requests', unit: '{request}', valueType: 'int', ...counter });
export const busy = metric({ name: 'busy', unit: 's', ...counter });
/** Goes up and down. */
export const queued = metric({ name: 'queued', unit: '{item}', kind: 'sum', valueType: 'int' });
export const latency = metric({
  name: 'latency',
  unit: 's',
  kind: 'histogram',
  explicitBounds: [0.1, 1, 10],
  hasSum: true,
});
