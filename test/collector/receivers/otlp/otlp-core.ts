import { OtlpIntake, type OtlpIntakeLimits } from '../../../../collector/receivers/otlp/otlp-intake.ts';
import type { OtlpOutcome } from '../../../../collector/receivers/otlp/otlp-outcome.ts';
import type { Grant } from '../../../../collector/security/grant.ts';
import type { ViewConfig } from '../../../../otel/config/metric-views.ts';
import { PointIntake } from '../../../../otel/state/intake/point-intake.ts';
import { exportMethod } from '../../../sinks/export-request.ts';
import { Core } from '../../core.ts';

export const roomy: OtlpIntakeLimits = {
  maxKnown: 10_000,
  maxPoints: 10_000,
  maxAttributes: 8,
  maxAttributeBytes: 64,
  maxSeries: 1000,
  maxSlots: 400,
};

export const second = 1_000_000;

/** The collector's core with its way in for OTLP, without a network. */
export class OtlpCore {
  readonly core: Core;
  readonly points: PointIntake;
  readonly #limits: OtlpIntakeLimits;
  intake: OtlpIntake;

  constructor(options: { views?: readonly ViewConfig[]; limits?: Partial<OtlpIntakeLimits> } = {}) {
    this.core = new Core(options.views === undefined ? {} : { views: options.views });
    this.points = new PointIntake(this.core.store, { delayMarginUs: 0 });
    this.#limits = { ...roomy, ...options.limits };
    this.intake = this.freshIntake();
  }

  /** An intake into the same state that knows nothing from before. */
  freshIntake(): OtlpIntake {
    const { store, sessions } = this.core;
    return new OtlpIntake({
      store,
      points: this.points,
      limits: this.#limits,
      hasLiveStream: (id) => sessions.owners.isLive(id),
      isAgent: (id) => sessions.owners.get(id) !== undefined,
    });
  }

  take(bytes: Uint8Array, grant?: Grant): OtlpOutcome {
    return this.intake.take(bytes, 'protobuf', this.core.nowUs, grant);
  }

  wait(seconds: number): void {
    this.core.nowUs += seconds * second;
    this.core.sessions.tick();
    this.points.expire(this.core.nowUs, 300 * second, 86_400 * second);
    this.core.outputs.sweep();
  }
}

type Value = string | number | bigint;

export function keyValues(attributes: Readonly<Record<string, Value>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'bigint'
          ? { intValue: String(value) }
          : { doubleValue: value },
  }));
}

/** A request with one resource, as proto-loader writes it. */
export function request(resource: Readonly<Record<string, Value>>, ...metrics: object[]): Buffer {
  return requests([resource, metrics]);
}

export function requests(
  ...resources: (readonly [resource: Readonly<Record<string, Value>>, metrics: readonly object[]])[]
): Buffer {
  return exportMethod().requestSerialize({
    resourceMetrics: resources.map(([resource, metrics]) => ({
      resource: { attributes: keyValues(resource) },
      scopeMetrics: [{ scope: { name: 'test' }, metrics }],
    })),
  });
}

/** Times in seconds. */
export interface Times {
  readonly start?: number;
  readonly time: number;
}

export function point(
  { start = 0, time }: Times,
  fields: object,
  attributes: Record<string, Value> = {},
): object {
  return {
    startTimeUnixNano: `${start}000000000`,
    timeUnixNano: `${time}000000000`,
    attributes: keyValues(attributes),
    ...fields,
  };
}

export function counter(name: string, temporality: 'delta' | 'cumulative', ...dataPoints: object[]): object {
  return {
    name,
    sum: { dataPoints, aggregationTemporality: temporality === 'delta' ? 1 : 2, isMonotonic: true },
  };
}
