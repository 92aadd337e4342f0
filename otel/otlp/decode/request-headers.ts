import { InvalidDataError } from '../../../proto/error.ts';
import { metricFromDefinition } from '../../model/definitions.ts';
import type { MetricDescription, MetricKind, Temporality } from '../../model/metric.ts';
import { emptyResource, type Resource } from '../../model/resource.ts';
import { emptyScope, type InstrumentationScope } from '../../model/scope.ts';
import { type AttributeLimits, readAttributes, readText } from './attribute-bytes.ts';
import type { KeyBytes } from './key-bytes.ts';
import { maxKnownBytes } from './known-bytes.ts';
import { bytesType, WireCursor } from './wire-cursor.ts';

/** What is wrong with a header: its points are refused, the others go on. */
export interface HeaderProblem {
  readonly reason: string;
  /** Within the header: `attributes[2].value`. */
  readonly fieldPath: string;
}

/** The resource of a request, the same object each time it comes. */
export interface ResourceHeader {
  /** Its id among the known bytes; 0: not kept. */
  readonly id: number;
  readonly resource: Resource;
  readonly problem: HeaderProblem | undefined;
}

export interface ScopeHeader {
  readonly id: number;
  readonly scope: InstrumentationScope;
  readonly problem: HeaderProblem | undefined;
}

/** A metric without its points. */
export interface MetricHeader {
  readonly id: number;
  readonly name: string;
  readonly kind: MetricKind;
  /** `cumulative` for gauges and summaries, which have none. */
  readonly temporality: Temporality;
  readonly isMonotonic: boolean;
  readonly problem: HeaderProblem | undefined;
  /**
   * What it is with what its points say beyond it, the same object each time while few are asked for. @throws InvalidDataError
   * @param variant of the point: see DecodedPoints.variants
   * @param numbers bounds of histograms, quantiles of summaries
   */
  describe(variant: number, numbers: readonly number[]): MetricDescription;
}

/** Bounds that one metric header remembers its descriptions of. */
const maxDescriptions = 32;

const cursor = new WireCursor();

/** Resource and schema URL: fields 1 and 3 of ResourceMetrics, as they were gathered. */
export function readResourceHeader(id: number, key: KeyBytes, limits: AttributeLimits): ResourceHeader {
  return checked<ResourceHeader>(
    () => {
      const { message, schemaUrl } = readOuter(key, limits);
      if (message === undefined) return { id, resource: { ...emptyResource, schemaUrl }, problem: undefined };
      const field = { field: 1, path: 'resource.attributes' };
      const list = readAttributes(cursor, message.start, message.end, field, limits);
      return { id, resource: { attributes: list, schemaUrl }, problem: undefined };
    },
    (problem) => ({ id, resource: emptyResource, problem }),
  );
}

/** Scope and schema URL: fields 1 and 3 of ScopeMetrics. */
export function readScopeHeader(id: number, key: KeyBytes, limits: AttributeLimits): ScopeHeader {
  return checked<ScopeHeader>(
    () => {
      const { message, schemaUrl } = readOuter(key, limits);
      if (message === undefined) return { id, scope: { ...emptyScope, schemaUrl }, problem: undefined };
      const { start, end } = message;
      let name = '';
      let version = '';
      cursor.at = start;
      while (cursor.at < end) {
        const tag = cursor.tag(end);
        const field = tag >>> 3;
        if (field === 1 || field === 2) {
          cursor.expect(tag, bytesType);
          const text = readLimited(end, field === 1 ? 'scope.name' : 'scope.version', limits);
          if (field === 1) name = text;
          else version = text;
        } else cursor.skip(tag, end);
      }
      const list = readAttributes(cursor, start, end, { field: 3, path: 'scope.attributes' }, limits);
      return { id, scope: { name, version, attributes: list, schemaUrl }, problem: undefined };
    },
    (problem) => ({ id, scope: emptyScope, problem }),
  );
}

export interface MetricShape {
  readonly kind: MetricKind;
  /** As in OTLP: 1 delta, 2 cumulative. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
}

/** Name, description and unit: fields 1 to 3 of Metric. */
export function readMetricHeader(id: number, key: KeyBytes, shape: MetricShape): MetricHeader {
  const { kind, isMonotonic } = shape;
  const hasTemporality = kind !== 'gauge' && kind !== 'summary';
  const temporality: Temporality = hasTemporality && shape.temporality === 1 ? 'delta' : 'cumulative';
  const texts = ['', '', ''];
  const problem = checked<HeaderProblem | undefined>(
    () => {
      reset(key);
      while (cursor.at < key.end) {
        const tag = cursor.tag(key.end);
        cursor.expect(tag, bytesType);
        const field = tag >>> 3;
        texts[field - 1] = readText(cursor, key.end, ['name', 'description', 'unit'][field - 1]!);
      }
      if (hasTemporality && shape.temporality !== 1 && shape.temporality !== 2)
        throw new InvalidDataError(`is ${shape.temporality}; 1 (delta) and 2 (cumulative) are allowed`, {
          fieldPath: 'aggregation_temporality',
        });
      // What every metric of the kind is checked for; its points' own bounds are checked with them.
      describe(texts, shape, 0, []);
      return undefined;
    },
    (found) => found,
  );
  const known = new Map<string, MetricDescription>();
  return {
    id,
    name: texts[0]!,
    kind,
    temporality,
    isMonotonic,
    problem,
    describe(variant, numbers) {
      const key = `${variant} ${numbers.join(' ')}`;
      let description = known.get(key);
      if (description === undefined) {
        description = describe(texts, shape, variant, numbers);
        if (known.size >= maxDescriptions) known.clear();
        known.set(key, description);
      }
      return description;
    },
  };
}

function describe(
  [name, description, unit]: readonly string[],
  { kind, isMonotonic }: MetricShape,
  variant: number,
  numbers: readonly number[],
): MetricDescription {
  const isHistogram = kind === 'histogram' || kind === 'exponential_histogram';
  return metricFromDefinition(
    {
      number: 0,
      scope: 0,
      name: name!,
      unit: unit!,
      description: description!,
      kind,
      isMonotonic: kind === 'sum' && isMonotonic,
      valueType: variant === 1 ? 'double' : 'int',
      explicitBounds: kind === 'histogram' ? [...numbers] : [],
      quantiles: kind === 'summary' ? [...numbers] : [],
      hasSum: isHistogram && variant === 1,
      // Points have them or not, each for itself: were they part of what a metric is, one series would become two.
      hasMin: isHistogram,
      hasMax: isHistogram,
    },
    '',
  );
}

/** The message in field 1 and the text in field 3 of what was gathered. */
function readOuter(
  key: KeyBytes,
  limits: AttributeLimits,
): {
  readonly message: { readonly start: number; readonly end: number } | undefined;
  readonly schemaUrl: string;
} {
  reset(key);
  let message: { start: number; end: number } | undefined;
  let schemaUrl = '';
  while (cursor.at < key.end) {
    const tag = cursor.tag(key.end);
    if (tag >>> 3 === 1) {
      const end = cursor.length(key.end);
      message = { start: cursor.at, end };
      cursor.at = end;
    } else schemaUrl = readLimited(key.end, 'schema_url', limits);
  }
  return { message, schemaUrl };
}

function reset(key: KeyBytes): void {
  if (key.end - key.start > maxKnownBytes)
    throw new InvalidDataError(`has more than ${maxKnownBytes} bytes beside its points`);
  const { buffer, byteOffset, byteLength } = key.view;
  cursor.reset(new Uint8Array(buffer, byteOffset, byteLength));
  cursor.at = key.start;
}

function readLimited(end: number, path: string, { maxAttributeBytes }: AttributeLimits): string {
  const text = readText(cursor, end, path);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxAttributeBytes)
    throw new InvalidDataError(`has ${bytes} bytes; at most ${maxAttributeBytes} are allowed`, {
      fieldPath: path,
    });
  return text;
}

/** What an error says, and where, apart from each other. */
export function problemOf({ message, fieldPath }: InvalidDataError): HeaderProblem {
  const reason =
    fieldPath !== '' && message.startsWith(fieldPath) ? message.slice(fieldPath.length + 2) : message;
  return { reason, fieldPath: fieldPath.replace(/^\./, '') };
}

function checked<T>(read: () => T, failed: (problem: HeaderProblem) => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return failed(problemOf(error));
  }
}
