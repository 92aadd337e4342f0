import type { MetricDescription } from '../../otel/model/metric.ts';
import type { InstrumentationScope } from '../../otel/model/scope.ts';
import type { SnapshotReader } from '../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';

/** In what streams of one resource, scope and name differ, or why there are two of them. */
export const conflictCauses = [
  'unit',
  'kind',
  'monotonicity',
  'name',
  'view',
  'input_kind',
  'bounds',
] as const;

export type ConflictCause = (typeof conflictCauses)[number];

/** One thing that is wrong with what leaves, as the log and the status show it. */
export interface OutputProblem {
  readonly cause: ConflictCause | 'aggregation';
  /** The name under which it leaves. */
  readonly metric: string;
  readonly scope: string;
  /** What was there, and what came beside it: kind and unit. */
  readonly held: string;
  readonly added: string;
  /** Of a view that makes nothing of a metric: its place in the configuration, from 1. */
  readonly view: number;
}

/** In the order of their numbers in snapshots. */
const problemCauses = [...conflictCauses, 'aggregation'] as const;

type Tell = (problem: OutputProblem, message: string) => void;

/** Problems that are told of in the life of the process. More are counted only. */
const maxTold = 1000;
/** The first ones are kept for the status. */
const maxKept = 100;

/**
 * What is wrong with what leaves: metric streams in each other's way, after the OpenTelemetry data model, and views that make nothing
 * of a metric. Each is counted; one that is the same but for its resource is told of once.
 */
export class OutputProblems {
  /** Metric streams that were made beside another one of the same resource, scope and name. */
  readonly conflicts = Object.fromEntries(conflictCauses.map((cause) => [cause, 0])) as Record<
    ConflictCause,
    number
  >;
  /** Metrics that a view made nothing of. */
  inapplicable = 0;
  readonly #kept: OutputProblem[] = [];
  readonly #told = new Set<string>();
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** The first hundred. */
  get list(): readonly OutputProblem[] {
    return this.#kept;
  }

  /** What there is now, as a function that writes it. */
  picture(): (writer: SnapshotWriter) => void {
    const { inapplicable } = this;
    const counts = conflictCauses.map((cause) => this.conflicts[cause]);
    const [kept, told] = [this.#kept.slice(), [...this.#told]];
    return (writer) => {
      for (const count of counts) writer.varint(count);
      writer.varint(inapplicable);
      writer.varint(kept.length);
      for (const { cause, metric, scope, held, added, view } of kept) {
        writer.byte(problemCauses.indexOf(cause));
        for (const text of [metric, scope, held, added]) writer.text(text);
        writer.varint(view);
      }
      writer.varint(told.length);
      for (const key of told) writer.string(key);
    };
  }

  /** Takes over what a picture wrote. What was told of is not told of again. */
  load(reader: SnapshotReader): void {
    for (const cause of conflictCauses) this.conflicts[cause] = reader.varint();
    this.inapplicable = reader.varint();
    for (let left = reader.varint(maxKept, 'a count of problems'); left > 0; left--) {
      const cause = problemCauses[reader.byte()];
      if (cause === undefined)
        throw reader.error(`the cause of a problem is none of ${problemCauses.join(', ')}`);
      const [metric, scope, held, added] = [reader.text(), reader.text(), reader.text(), reader.text()];
      this.#kept.push({ cause, metric, scope, held, added, view: reader.varint() });
    }
    for (let left = reader.varint(maxTold, 'a count of problems'); left > 0; left--)
      this.#told.add(reader.string());
  }

  conflict(
    cause: ConflictCause,
    scope: InstrumentationScope,
    held: MetricDescription,
    added: MetricDescription,
  ): void {
    this.conflicts[cause]++;
    const pair = [shapeText(held), shapeText(added)] as const;
    const problem = {
      cause,
      metric: added.name,
      scope: scope.name,
      held: pair[0],
      added: pair[1],
      view: 0,
    };
    // Which of the two comes first may differ from resource to resource.
    const key = JSON.stringify([cause, added.name.toLowerCase(), scope.name, ...[...pair].sort()]);
    this.#once(key, problem, messages[cause]);
  }

  /** A view whose aggregation has no meaning for a metric's kind. */
  noMeaning(scope: InstrumentationScope, metric: MetricDescription, view: number): void {
    this.inapplicable++;
    const added = shapeText(metric);
    const problem = {
      cause: 'aggregation',
      metric: metric.name,
      scope: scope.name,
      held: '',
      added,
      view,
    } as const;
    const key = JSON.stringify(['aggregation', metric.name, scope.name, added, view]);
    this.#once(key, problem, messages.aggregation);
  }

  #once(key: string, problem: OutputProblem, message: string): void {
    if (this.#told.size >= maxTold || this.#told.has(key)) return;
    this.#told.add(key);
    if (this.#kept.length < maxKept) this.#kept.push(problem);
    this.#tell(problem, message);
    if (this.#told.size === maxTold)
      this.#tell(
        problem,
        `that was the last of ${maxTold} problems with outputs that are logged; more are counted`,
      );
  }
}

const resolve = 'give one of them another name with a view';

const messages: Readonly<Record<OutputProblem['cause'], string>> = {
  unit: `metrics of one name differ in their unit and leave as two streams: ${resolve}`,
  kind: `metrics of one name differ in their kind and leave as two streams: ${resolve}`,
  monotonicity: `sums of one name differ in whether they are monotonic and leave as two streams: ${resolve}`,
  name: 'two metrics leave as two streams of one name, upper and lower case being the same: give one of them another name, or join them with streamgauge.resource_keys or attribute_keys',
  view: 'two views make streams of one metric under one name: give one of them another name',
  input_kind: `metrics of several kinds become the same kind under one name and leave as two streams: ${resolve}`,
  bounds:
    'histograms that do not have all bounds of their output leave as a stream of their own: give the view boundaries that all of them have',
  aggregation:
    'a view makes nothing of a metric, because its aggregation has no meaning for the kind: select what it is for with selector.instrument_type',
};

/** `monotonic sum, By`. */
function shapeText({ kind, isMonotonic, unit, explicitBounds }: MetricDescription): string {
  const bounds = kind === 'histogram' ? `, ${explicitBounds.length} bounds` : '';
  return `${isMonotonic ? 'monotonic ' : ''}${kind}${bounds}${unit === '' ? '' : `, ${unit}`}`;
}
