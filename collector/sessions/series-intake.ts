import { attributesFromWire } from '../../otel/model/any-value.ts';
import { type Attributes, attributeText, noAttributes } from '../../otel/model/attributes.ts';
import {
  metricFromDefinition,
  resourceFromDefinition,
  scopeFromDefinition,
} from '../../otel/model/definitions.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import { emptyScope, type InstrumentationScope } from '../../otel/model/scope.ts';
import { InvalidDataError, StreamgaugeError } from '../../proto/error.ts';
import type { RefuseKind } from '../../proto/messages/collector-message.ts';
import type { Define, SeriesDefinition } from '../../proto/messages/define.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import type { Grant } from '../security/grant.ts';
import { withForced } from '../security/permitted-member.ts';

/** A series as a Define gives it, with what it refers to. */
export interface DefinedSeries {
  readonly number: number;
  readonly group: number;
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /** `undefined`: the member's own. */
  readonly resource: Resource | undefined;
  readonly epoch: string;
  readonly beganUs: number | undefined;
  readonly startTimeUs: number;
  /** Set when the series is over a limit or its attributes are invalid; it has cells in the columns all the same. */
  readonly refusal: Refusal | undefined;
}

/** Why a series is not counted. The stream goes on, and the agent is told. */
export interface Refusal {
  readonly kind: RefuseKind;
  readonly reason: string;
  readonly fieldPath: string;
  readonly retryDelayMs?: number;
}

/** What of its limits an intake holds to. */
export type IntakeLimits = Pick<StreamLimits, 'maxSeries' | 'maxAttributes' | 'maxAttributeBytes'>;

/** The numbers of a stream as they were at one moment: of each map the first so many, since nothing is ever taken out of them or changed. */
export interface IntakeCapture {
  readonly limits: IntakeLimits;
  readonly resources: ReadonlyMap<number, Resource>;
  readonly resourceCount: number;
  /** Why resources may not be written, by number. */
  readonly deniedResources: ReadonlyMap<number, string>;
  /** The first one is the scope without a name. */
  readonly scopes: ReadonlyMap<number, InstrumentationScope>;
  readonly scopeCount: number;
  readonly metrics: ReadonlyMap<number, MetricOfScope>;
  readonly metricCount: number;
  readonly epochs: ReadonlyMap<number, EpochOfStream>;
  readonly epochCount: number;
}

export interface MetricOfScope {
  readonly metric: MetricDescription;
  readonly scope: InstrumentationScope;
}

export interface EpochOfStream {
  /** Each character is a byte. */
  readonly token: string;
  /** Relative to Welcome; `undefined`: not known. */
  readonly beganUs: number | undefined;
}

/** What attributes of resources and scopes a stream may define for each series that it may have: all of them are held as long as it is. */
const bytesPerSeries = 1024;

const noDenials: ReadonlyMap<number, string> = new Map();

/** What the definitions of one stream have said so far: the numbers of its resources, scopes, metrics and epochs. */
export class SeriesIntake {
  readonly #limits: IntakeLimits;
  readonly #grant: Grant | undefined;
  readonly #resources = new Map<number, Resource>();
  /** Why the resources of these numbers may not be written; nearly always there are none. */
  #deniedResources: Map<number, string> | undefined;
  readonly #scopes = new Map<number, InstrumentationScope>([[0, emptyScope]]);
  readonly #metrics = new Map<number, MetricOfScope>();
  readonly #epochs = new Map<number, EpochOfStream>();
  /** Of the attributes of resources and scopes. */
  #bytes = 0;

  /** @param grant what the agent may write, where that has bounds */
  constructor(limits: IntakeLimits, grant?: Grant) {
    this.#limits = limits;
    this.#grant = grant;
  }

  /** Costs the same however much there is. */
  capture(): IntakeCapture {
    const { maxSeries, maxAttributes, maxAttributeBytes } = this.#limits;
    return {
      limits: { maxSeries, maxAttributes, maxAttributeBytes },
      resources: this.#resources,
      resourceCount: this.#resources.size,
      deniedResources: this.#deniedResources ?? noDenials,
      scopes: this.#scopes,
      scopeCount: this.#scopes.size,
      metrics: this.#metrics,
      metricCount: this.#metrics.size,
      epochs: this.#epochs,
      epochCount: this.#epochs.size,
    };
  }

  /**
   * @param denied why it may not be written, if so
   * @throws InvalidDataError when the number is in use, StreamgaugeError `overloaded` for more than the stream may define
   */
  addResource(number: number, resource: Resource, path: string, denied?: string): void {
    this.#put(this.#resources, number, resource, path, bytesOf(resource.attributes));
    if (denied === undefined) return;
    this.#deniedResources ??= new Map();
    this.#deniedResources.set(number, denied);
  }

  /** Throws as {@link SeriesIntake.addResource}. */
  addScope(number: number, scope: InstrumentationScope, path: string): void {
    this.#put(this.#scopes, number, scope, path, bytesOf(scope.attributes));
  }

  /** @param scope its number. Throws as {@link SeriesIntake.addResource}, and where the scope is not defined */
  addMetric(number: number, metric: MetricDescription, scope: number, path: string): void {
    const of = this.#scopes.get(scope);
    if (of === undefined) throw unknownNumber('scope', scope, `${path}.scope`);
    this.#put(this.#metrics, number, { metric, scope: of }, path);
  }

  /** Throws as {@link SeriesIntake.addResource}. */
  addEpoch(number: number, epoch: EpochOfStream, path: string): void {
    this.#put(this.#epochs, number, epoch, path);
  }

  /**
   * Takes in what a Define says beside its series.
   * @throws InvalidDataError for what breaks the protocol, StreamgaugeError `overloaded` for more than the stream may define: it ends
   */
  begin(define: Define): void {
    for (const [i, resource] of define.resources.entries()) {
      const path = `resources[${i}]`;
      const taken = resourceFromDefinition(resource, path);
      this.checkAttributes(taken.attributes, `${path}.attributes`);
      // One that may not be written is held as it is: its series are refused, those of others go on.
      const denied = this.#grant?.resourceProblem(taken.attributes);
      const written =
        this.#grant === undefined || denied !== undefined ? taken : withForced(this.#grant, taken);
      this.addResource(resource.number, written, path, denied);
    }
    for (const [i, scope] of define.scopes.entries()) {
      const path = `scopes[${i}]`;
      const taken = scopeFromDefinition(scope, path);
      this.checkAttributes(taken.attributes, `${path}.attributes`);
      this.addScope(scope.number, taken, path);
    }
    for (const [i, definition] of define.metrics.entries()) {
      const path = `metrics[${i}]`;
      this.addMetric(definition.number, metricFromDefinition(definition, path), definition.scope, path);
    }
    for (const [i, epoch] of define.epochs.entries()) {
      const token = Buffer.from(epoch.token).toString('latin1');
      this.addEpoch(epoch.number, { token, beganUs: epoch.beganUs }, `epochs[${i}]`);
    }
  }

  /**
   * A series of the same Define. `held` is how many series the stream has.
   * @throws InvalidDataError for what breaks the protocol: the stream ends
   */
  series(definition: SeriesDefinition, index: number, held: number): DefinedSeries {
    const path = `series[${index}]`;
    const found = this.#metrics.get(definition.metric);
    if (found === undefined) throw unknownNumber('metric', definition.metric, `${path}.metric`);
    const resource = definition.resource === 0 ? undefined : this.#resources.get(definition.resource);
    if (resource === undefined && definition.resource !== 0)
      throw unknownNumber('resource', definition.resource, `${path}.resource`);
    const epoch = definition.epoch === 0 ? undefined : this.#epochs.get(definition.epoch);
    if (epoch === undefined && definition.epoch !== 0)
      throw unknownNumber('epoch', definition.epoch, `${path}.epoch`);
    let attributes = noAttributes;
    let refusal = held < this.#limits.maxSeries ? undefined : tooMany(held, this.#limits.maxSeries, path);
    try {
      attributes = attributesFromWire(definition.attributes, `${path}.attributes`);
      this.checkAttributes(attributes, `${path}.attributes`);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      refusal = { kind: 'invalid', reason: error.message, fieldPath: error.fieldPath };
    }
    const denied = this.#deniedResources?.get(definition.resource);
    if (denied !== undefined) {
      const reason = `resource ${definition.resource}: ${denied}`;
      refusal ??= { kind: 'invalid', reason, fieldPath: `${path}.resource` };
    }
    const { number, group, startTimeUs } = definition;
    const { metric, scope } = found;
    const token = epoch?.token ?? '';
    const beganUs = epoch?.beganUs;
    return {
      number,
      group,
      scope,
      metric,
      attributes,
      resource,
      epoch: token,
      beganUs,
      startTimeUs,
      refusal,
    };
  }

  /** @throws InvalidDataError naming the attribute that is over a limit */
  checkAttributes(attributes: Attributes, fieldPath: string): void {
    const { maxAttributes, maxAttributeBytes } = this.#limits;
    if (attributes.length > maxAttributes)
      throw new InvalidDataError(`${attributes.length} attributes; at most ${maxAttributes} are allowed`, {
        fieldPath,
      });
    for (const [key, value] of attributes) {
      const keyBytes = Buffer.byteLength(key);
      const valueBytes = Buffer.byteLength(attributeText(value));
      if (keyBytes <= maxAttributeBytes && valueBytes <= maxAttributeBytes) continue;
      throw new InvalidDataError(
        `the attribute ${JSON.stringify(key.slice(0, 64))} has a key of ${keyBytes} and a value of ${valueBytes} bytes; at most ${maxAttributeBytes} each are allowed`,
        { fieldPath },
      );
    }
  }

  #put<T>(into: Map<number, T>, number: number, value: T, path: string, bytes = 0): void {
    if (into.has(number))
      throw new InvalidDataError(
        `the number ${number} is in use on this stream; numbers keep their meaning`,
        {
          fieldPath: `${path}.number`,
        },
      );
    // Each of these is held for the life of the stream: together they may be as many as its series.
    if (into.size > this.#limits.maxSeries)
      throw new StreamgaugeError(
        'overloaded',
        `${path}: more than ${this.#limits.maxSeries} of these on one stream; a new stream starts from nothing`,
      );
    this.#bytes += bytes;
    const maxBytes = this.#limits.maxSeries * bytesPerSeries;
    if (this.#bytes > maxBytes)
      throw new StreamgaugeError(
        'overloaded',
        `${path}: the resources and scopes of one stream have more than ${maxBytes} bytes of attributes; a new stream starts from nothing`,
      );
    into.set(number, value);
  }
}

function bytesOf(attributes: Attributes): number {
  let bytes = 0;
  for (const [key, value] of attributes) bytes += key.length + attributeText(value).length;
  return bytes;
}

/** How long an agent waits before it defines a series again that was over a limit. */
export const limitRetryMs = 60_000;

function tooMany(held: number, max: number, fieldPath: string): Refusal {
  const reason = `the stream has ${held} series; at most ${max} are allowed`;
  return { kind: 'limit', reason, fieldPath, retryDelayMs: limitRetryMs };
}

function unknownNumber(what: string, number: number, fieldPath: string): InvalidDataError {
  return new InvalidDataError(`${what} ${number} is not defined on this stream`, { fieldPath });
}
