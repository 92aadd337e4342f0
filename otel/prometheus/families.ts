import { type Collection, type MetricStream, noMore, PointBatch } from '../state/point-batch.ts';
import type { ExpositionReport, LeftOutCause } from './exposition-report.ts';
import { type FamilyName, type FamilyType, familyName } from './family-name.ts';
import { scopeLabels } from './scope-labels.ts';
import { type Target, type TargetLabels, targetInfoLabels } from './target-labels.ts';

/** A metric stream of one resource and scope, as a part of a family. */
export interface FamilyPart {
  readonly stream: MetricStream;
  readonly target: Target;
  /** Labels of resource and scope, without braces; never empty. */
  readonly labels: string;
}

/** All that is written under one TYPE: the text formats want a family's lines in one place, whatever resources they are of. */
export interface Family extends FamilyName {
  readonly type: FamilyType;
  readonly help: string;
  readonly parts: FamilyPart[];
}

export interface Families {
  readonly families: Iterable<Family>;
  /** The labels of target_info, one line a resource; each begins with `job`. */
  readonly targets: readonly string[];
}

/** So many streams take about a millisecond. */
const streamsAtATime = 2048;

/**
 * Goes through a collection without reading points and puts its streams into families, in the order of first appearance. Of
 * metrics that contradict each other the first holds; what is left out for it is counted in the report.
 * Gives an empty text now and then, so that a caller that streams can let others run.
 */
export function* gatherFamilies(
  collection: Collection,
  targetLabels: TargetLabels,
  openMetrics: boolean,
  report: ExpositionReport,
): Generator<'', Families> {
  const families = new Map<string, Family>();
  /** Every name that a family's lines begin with, and the family that has it. */
  const takenNames = new Map<string, string>([['target_info', 'target_info']]);
  if (openMetrics) takenNames.set('target', 'target_info');
  const targets = new Map<string, string>();
  const counting = new PointBatch();
  let gathered = 0;

  const leaveOut = function* (part: FamilyPart, family: string, cause: LeftOutCause): Generator<''> {
    const { job, instance } = part.target;
    let points = 0;
    for (let at = 0; at !== noMore; ) {
      at = part.stream.read(counting, at);
      points += counting.size;
      if (at !== noMore) yield '';
    }
    report.leaveOut({ metric: part.stream.metric.name, family, job, instance, cause, points });
  };

  for (const { resource, scopes } of collection.resources) {
    const target = targetLabels.target(resource);
    if (!targets.has(target.labels)) targets.set(target.labels, target.labels + targetInfoLabels(resource));
    for (const { scope, streams } of scopes) {
      const labels = target.labels + scopeLabels(scope);
      for (const stream of streams) {
        if (++gathered % streamsAtATime === 0) yield '';
        const part = { stream, target, labels };
        const type = familyType(stream);
        if (type === 'delta') {
          yield* leaveOut(part, '', type);
          continue;
        }
        const names = familyName(stream.metric, type);
        if (names.name === '') {
          yield* leaveOut(part, '', 'unusable_name');
          continue;
        }
        const family = families.get(names.name);
        if (family === undefined) {
          const sampleNames = namesOf(names, type, openMetrics);
          if (sampleNames.some((name) => takenNames.has(name))) {
            yield* leaveOut(part, names.name, 'name_conflict');
            continue;
          }
          for (const name of sampleNames) takenNames.set(name, names.name);
          const { description, name } = stream.metric;
          // promtool wants a HELP for every family.
          const help = description.trim() === '' ? `OpenTelemetry metric ${name}` : description;
          families.set(names.name, { ...names, type, help, parts: [part] });
          continue;
        }
        if (family.type !== type) {
          yield* leaveOut(part, names.name, 'type_conflict');
          continue;
        }
        family.parts.push(part);
        noteMetadata(family, names, part, report);
      }
    }
  }
  return { families: families.values(), targets: [...targets.values()] };
}

function familyType(stream: MetricStream): FamilyType | 'delta' {
  const { kind, isMonotonic } = stream.metric;
  if (kind === 'gauge' || kind === 'summary') return kind;
  if (stream.temporality !== 'cumulative') return 'delta';
  if (kind !== 'sum') return 'histogram';
  return isMonotonic ? 'counter' : 'gauge';
}

/** The names that a family's metadata and samples use. In OpenMetrics a counter's family has a name of its own. */
function namesOf({ name, base }: FamilyName, type: FamilyType, openMetrics: boolean): string[] {
  if (type === 'histogram') return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  if (type === 'summary') return [name, `${name}_sum`, `${name}_count`];
  return type === 'counter' && openMetrics ? [base, name] : [name];
}

/** HELP and UNIT of the first metric hold for the family; that another one's differ loses no point, but is worth a log line. */
function noteMetadata(family: Family, names: FamilyName, part: FamilyPart, report: ExpositionReport): void {
  const { name: metric, description } = part.stream.metric;
  const { job, instance } = part.target;
  const conflict = { metric, family: family.name, job, instance, points: 0 };
  if (names.unit !== family.unit) report.note({ ...conflict, cause: 'unit' });
  if (description.trim() !== '' && description !== family.help) report.note({ ...conflict, cause: 'help' });
}
