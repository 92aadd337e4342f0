import { type MetricDescription, metricKey } from '../../otel/model/metric.ts';
import { isMerging, type StreamPlan } from '../views/stream-plan.ts';
import type { ConflictCause } from './output-problems.ts';
import { type OutputShape, outputShape } from './output-shape.ts';

/** What a plan makes of a metric wherever it comes from: the same object for all members that have it. */
export interface Outgoing {
  readonly plan: StreamPlan;
  readonly input: MetricDescription;
  readonly shape: OutputShape;
  /** The output's name in lower case: OpenTelemetry's names ignore case. */
  readonly nameKey: string;
  /** Equal, within a resource and scope, where one stream may take both in. */
  readonly streamId: string;
}

/**
 * What a plan makes of a metric; `undefined` where its aggregation has no meaning for the kind.
 *
 * What passes is a stream of its own for each metric. What joins is one stream for all that leaves under one name, unit, kind and
 * monotonicity, whatever it came as; the state that it comes from alone must be of one kind.
 */
export function outgoing(input: MetricDescription, plan: StreamPlan): Outgoing | undefined {
  const shape = outputShape(input, plan);
  if (shape === undefined) return undefined;
  const { metric } = shape;
  const nameKey = metric.name.toLowerCase();
  const identity = isMerging(plan)
    ? `${nameKey.length}:${nameKey}${metric.unit.length}:${metric.unit}${metric.kind}${metric.isMonotonic ? ',m' : ''}<${input.kind}`
    : metricKey(input);
  return { plan, input, shape, nameKey, streamId: `${plan.number}:${identity}` };
}

/** In what two streams of one resource, scope and name differ; `undefined` where they may stand beside each other. */
export function conflictOf(a: Outgoing, b: Outgoing): ConflictCause | undefined {
  const [one, other] = [a.shape.metric, b.shape.metric];
  if (one.unit !== other.unit) return 'unit';
  if (one.kind !== other.kind) return 'kind';
  if (one.isMonotonic !== other.isMonotonic) return 'monotonicity';
  if (a.input.kind !== b.input.kind) return 'input_kind';
  if (a.input.name !== b.input.name) return 'name';
  // One metric may come in several value types and with several bounds: neither is identifying.
  return a.plan === b.plan ? undefined : 'view';
}

/** What holds for all that joined a stream. Gives `held` itself where nothing changes. */
export function joined(held: MetricDescription, added: MetricDescription): MetricDescription {
  const isSame =
    (held.valueType === 'double' || added.valueType === 'int') &&
    (!held.hasSum || added.hasSum) &&
    (!held.hasMin || added.hasMin) &&
    (!held.hasMax || added.hasMax) &&
    held.description.length >= added.description.length;
  if (isSame) return held;
  return {
    ...held,
    // Of two descriptions the longer one, as the data model recommends.
    description: held.description.length >= added.description.length ? held.description : added.description,
    valueType: held.valueType === added.valueType ? held.valueType : 'double',
    hasSum: held.hasSum && added.hasSum,
    hasMin: held.hasMin && added.hasMin,
    hasMax: held.hasMax && added.hasMax,
  };
}
