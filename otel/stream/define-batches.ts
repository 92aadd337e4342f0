import { createHash } from 'node:crypto';
import {
  type Define,
  type EpochDefinition,
  type MetricDefinition,
  maxEpochTokenBytes,
  type ResourceDefinition,
  type ScopeDefinition,
  type SeriesDefinition,
} from '../../proto/messages/define.ts';
import { attributesToWire } from '../model/any-value.ts';
import { attributesKey } from '../model/attributes.ts';
import { metricToDefinition, resourceToDefinition, scopeToDefinition } from '../model/definitions.ts';
import { DefinitionNumbers } from './definition-numbers.ts';
import type { Epoch, StreamSeries } from './stream-series.ts';

interface Batch extends Define {
  readonly resources: ResourceDefinition[];
  readonly scopes: ScopeDefinition[];
  readonly metrics: MetricDefinition[];
  readonly epochs: EpochDefinition[];
  readonly series: SeriesDefinition[];
}

/** What one series costs beside its attributes and what is new with it: numbers, times and tags. */
const seriesOverheadBytes = 40;

/**
 * Makes the Define messages of one stream: many series in each, and before a series everything that it speaks of and that the
 * stream has not been told. A message is closed before it grows beyond the batch size.
 */
export class DefineBatches {
  readonly #maxBytes: number;
  readonly #welcomeMs: number;
  readonly #numbers: DefinitionNumbers;
  #batches: Batch[] = [];
  #open: Batch | undefined;
  #openBytes = 0;

  /**
   * @param maxBytes of one message, about
   * @param welcomeMs when Welcome came, by the monotonic clock: what epochs' beginnings are told relative to
   */
  constructor(maxBytes: number, welcomeMs: number) {
    this.#maxBytes = maxBytes;
    this.#welcomeMs = welcomeMs;
    this.#numbers = new DefinitionNumbers({
      resource: (number, resource) => this.#open!.resources.push(resourceToDefinition(resource, number)),
      scope: (number, scope) => this.#open!.scopes.push(scopeToDefinition(scope, number)),
      metric: (number, scope, metric) => this.#open!.metrics.push(metricToDefinition(metric, number, scope)),
      epoch: (number, epoch) => this.#open!.epochs.push(this.#epoch(number, epoch)),
    });
  }

  /** Resources, scopes, metrics and epochs that the stream was told of; they stay until it ends. */
  get told(): number {
    return this.#numbers.size;
  }

  /** Whether the series can be sent at all: alone it must not be more than a batch. */
  fits(series: StreamSeries): boolean {
    return bytesOf(series) <= this.#maxBytes;
  }

  /** Numbers ascend from call to call. */
  add(number: number, group: number, series: StreamSeries): void {
    const bytes = bytesOf(series);
    if (this.#open === undefined || this.#openBytes + bytes > this.#maxBytes) {
      this.#open = { type: 'define', resources: [], scopes: [], metrics: [], epochs: [], series: [] };
      this.#openBytes = 0;
      this.#batches.push(this.#open);
    }
    const told = this.#numbers.size;
    const definition: SeriesDefinition = {
      number,
      group,
      resource: this.#numbers.resource(series.resource),
      metric: this.#numbers.metric(series.scope, series.metric),
      epoch: series.metric.kind === 'gauge' ? 0 : this.#numbers.epoch(series.epoch),
      attributes: attributesToWire(series.attributes),
      startTimeUs: Math.round(series.startTimeUs ?? 0),
    };
    this.#open.series.push(definition);
    this.#openBytes += this.#numbers.size === told ? ownBytes(series) : bytes;
  }

  /** The messages made since the last call, in order. */
  take(): readonly Define[] {
    const batches = this.#batches;
    if (batches.length > 0) this.#batches = [];
    this.#open = undefined;
    return batches;
  }

  #epoch(number: number, { token, beganMs }: Epoch): EpochDefinition {
    const beganUs = beganMs === undefined ? undefined : Math.round((beganMs - this.#welcomeMs) * 1000);
    return { number, token: tokenBytes(token), beganUs };
  }
}

/** A token as it is, or a hash of one that is too long: only whether tokens are equal matters. */
function tokenBytes(token: string): Uint8Array {
  const bytes = Buffer.from(token);
  return bytes.length <= maxEpochTokenBytes ? bytes : createHash('sha256').update(bytes).digest();
}

/** At most so many bytes in Define by itself, about: a UTF-16 unit is up to three. */
function ownBytes(series: StreamSeries): number {
  return seriesOverheadBytes + 3 * attributesKey(series.attributes).length;
}

/** The same with everything that it speaks of. */
function bytesOf(series: StreamSeries): number {
  const { metric, scope, resource } = series;
  const texts =
    metric.name.length +
    metric.unit.length +
    metric.description.length +
    scope.name.length +
    scope.version.length +
    attributesKey(scope.attributes).length +
    (resource === undefined ? 0 : attributesKey(resource.attributes).length);
  return ownBytes(series) + maxEpochTokenBytes + 3 * texts;
}
