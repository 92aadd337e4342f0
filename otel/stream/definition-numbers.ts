import type { MetricDescription } from '../model/metric.ts';
import { metricKey } from '../model/metric.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import { type InstrumentationScope, scopeKey } from '../model/scope.ts';
import type { Epoch } from './stream-series.ts';

/** What is given a number on a stream: told once, the first time it is needed. */
export interface NewDefinitions {
  resource(number: number, resource: Resource): void;
  scope(number: number, scope: InstrumentationScope): void;
  metric(number: number, scope: number, metric: MetricDescription): void;
  epoch(number: number, epoch: Epoch): void;
}

/**
 * The numbers of resources, scopes, metrics and epochs on one stream. Things that are equal share a number, and so do objects
 * that are the same, which is the quick way to find it.
 */
export class DefinitionNumbers {
  readonly #tell: NewDefinitions;
  readonly #resources = new Map<string, number>();
  readonly #resourceObjects = new Map<Resource, number>();
  readonly #scopes = new Map<string, number>();
  readonly #scopeObjects = new Map<InstrumentationScope, number>();
  readonly #metrics = new Map<string, number>();
  readonly #metricObjects = new Map<InstrumentationScope, Map<MetricDescription, number>>();
  readonly #epochs = new Map<string, number>();

  constructor(tell: NewDefinitions) {
    this.#tell = tell;
  }

  /** How many numbers were given. */
  get size(): number {
    return this.#resources.size + this.#scopes.size + this.#metrics.size + this.#epochs.size;
  }

  /** 0 is the resource of Hello. */
  resource(resource: Resource | undefined): number {
    if (resource === undefined) return 0;
    const known = this.#resourceObjects.get(resource);
    if (known !== undefined) return known;
    const number = this.#numberOf(this.#resources, resourceKey(resource), (n) =>
      this.#tell.resource(n, resource),
    );
    this.#resourceObjects.set(resource, number);
    return number;
  }

  /** 0 is the scope without a name. */
  scope(scope: InstrumentationScope): number {
    const known = this.#scopeObjects.get(scope);
    if (known !== undefined) return known;
    const key = scopeKey(scope);
    const number =
      key === emptyKey ? 0 : this.#numberOf(this.#scopes, key, (n) => this.#tell.scope(n, scope));
    this.#scopeObjects.set(scope, number);
    return number;
  }

  metric(scope: InstrumentationScope, metric: MetricDescription): number {
    let ofScope = this.#metricObjects.get(scope);
    const known = ofScope?.get(metric);
    if (known !== undefined) return known;
    const scopeNumber = this.scope(scope);
    const number = this.#numberOf(this.#metrics, `${scopeNumber} ${metricKey(metric)}`, (n) =>
      this.#tell.metric(n, scopeNumber, metric),
    );
    if (ofScope === undefined) {
      ofScope = new Map();
      this.#metricObjects.set(scope, ofScope);
    }
    ofScope.set(metric, number);
    return number;
  }

  /** 0: no epoch. Equal tokens are one life, so the first beginning that came with a token holds. */
  epoch(epoch: Epoch | undefined): number {
    if (epoch === undefined) return 0;
    return this.#numberOf(this.#epochs, epoch.token, (n) => this.#tell.epoch(n, epoch));
  }

  #numberOf(numbers: Map<string, number>, key: string, tell: (number: number) => void): number {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = numbers.size + 1;
    numbers.set(key, number);
    tell(number);
    return number;
  }
}

const emptyKey = scopeKey({ name: '', version: '', attributes: [], schemaUrl: '' });
