import { type Attributes, attributes, attributesKey } from '../../otel/model/attributes.ts';
import { Uint32List } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { SeriesAttributes } from '../../otel/state/point-batch.ts';
import { PointAdmission } from './point-admission.ts';
import { readPoints, writePoints } from './snapshot/saved-points.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/** How series become points. */
export interface FoldPointsOptions {
  /** The attributes that a series has in the output. `undefined`: its own. */
  readonly outputAttributes?: ((own: Attributes, metricName: string) => Attributes) | undefined;
  /** Who has the series of this slot: its member's id. */
  readonly ownerOf: (slot: number) => string;
  /** Points at most, the one for what is beyond included; at least 1. `undefined`: any number. */
  readonly limit?: number | undefined;
  /** Whether members are joined: then a part of the points is kept for those that have few. */
  readonly isShared: boolean;
  /** Where points begin to count. */
  readonly startUs: number;
}

/**
 * Which input series are joined into which point: `slots[i]` goes into point `targets[i]`. Points are by the attributes that the
 * view gives a series; beyond the limit new ones go into the overflow series of OpenTelemetry's cardinality limits, and stay there. A point
 * stays when its last series has left, until {@link FoldPoints.expire}.
 */
export class FoldPoints {
  readonly attributes: SeriesAttributes[] = [];
  /** Where each point begins to count: microseconds by the store's clock. */
  readonly startUs: number[] = [];
  readonly slots = new Uint32List();
  readonly targets = new Uint32List();
  /** Series that went into the overflow series since the start. */
  overflowed = 0;
  readonly #options: FoldPointsOptions;
  readonly #admission: PointAdmission;
  readonly #byKey = new Map<string, number>();
  /** How many series go into each point. */
  readonly #inputs: number[] = [];
  /** When a point lost its last series, in seconds of the store's life; of use while it has none. */
  readonly #idleSinceS: number[] = [];
  #idle = 0;
  #startUs: number;

  constructor(options: FoldPointsOptions) {
    this.#options = options;
    this.#startUs = options.startUs;
    this.#admission = new PointAdmission(options.limit, options.isShared);
  }

  get size(): number {
    return this.attributes.length;
  }

  /** Whether points without series are the greater part, or take places that others want. */
  get isWorthExpiring(): boolean {
    return this.#idle * 2 > this.size || (this.#idle > 0 && this.#admission.isTight(this.size));
  }

  attach(slot: number, definition: SeriesDefinition): void {
    const own = definition.attributes;
    const wanted =
      this.#options.outputAttributes?.(own.attributes, definition.entry.metric.name) ?? own.attributes;
    const point = this.#pointOf(wanted === own.attributes ? own : seriesOf(wanted), slot);
    if (this.#inputs[point]++ === 0) this.#idle--;
    this.slots.push(slot);
    this.targets.push(point);
  }

  /** The point that the series goes into that was attached last. */
  get lastTarget(): number {
    return this.targets.items[this.targets.size - 1];
  }

  /** Lets go of the series that `leaves` says yes to. */
  sweep(leaves: (slot: number, point: number) => boolean, nowS: number): void {
    const { slots, targets } = this;
    for (let i = slots.size - 1; i >= 0; i--) {
      const point = targets.items[i];
      if (!leaves(slots.items[i], point)) continue;
      if (--this.#inputs[point] === 0) {
        this.#idleSinceS[point] = nowS;
        this.#idle++;
      }
      const last = --slots.size;
      targets.size--;
      slots.items[i] = slots.items[last];
      targets.items[i] = targets.items[last];
    }
  }

  /**
   * Forgets the points that have had no series since before this second; the others move up in order. `moved` is told of each that moves,
   * lowest first, and at the end how many there are: places from there on are free. Points that come later begin to count at `nowUs`, so
   * that one that returns does not go down under its old start time.
   */
  expire(beforeS: number, nowUs: number, moved: (from: number, to: number) => void): boolean {
    if (this.#idle === 0) return false;
    const { attributes, targets } = this;
    const places = new Uint32Array(attributes.length);
    let to = 0;
    for (let point = 0; point < attributes.length; point++) {
      if (this.#inputs[point] === 0 && this.#idleSinceS[point] < beforeS) {
        this.#byKey.delete(attributesKey(attributes[point].attributes));
        this.#admission.leave(point);
        continue;
      }
      places[point] = to;
      if (to !== point) this.#move(point, to, moved);
      to++;
    }
    if (to === attributes.length) return false;
    this.#idle -= attributes.length - to;
    this.#truncate(to);
    for (let i = 0; i < targets.size; i++) targets.items[i] = places[targets.items[i]];
    this.#startUs = nowUs;
    return true;
  }

  picture(): StreamPicture {
    const { attributes, startUs, overflowed } = this;
    const [slots, targets] = [this.slots.items, this.targets.items];
    const [points, inputs] = [attributes.length, this.slots.size];
    const moment = {
      overflowed,
      nextStartUs: this.#startUs,
      points,
      attributes,
      startUs,
      inputs,
      slots,
      targets,
    };
    const idleSinceS = this.#idleSinceS;
    const ownerOf = (point: number) => this.#admission.ownerOf(point);
    return { write: (writer) => writePoints(writer, { ...moment, idleSinceS, ownerOf }) };
  }

  /** Takes over what a picture wrote, when it is new. */
  *load({ reader, take }: StreamLoading): Generator<void, void> {
    const { points, overflowed, nextStartUs, inputs, slots, targets } = yield* readPoints(reader);
    this.overflowed = overflowed;
    for (const { attributes: own, startUs, idleSinceS, owner } of points) {
      const key = attributesKey(own);
      if (this.#byKey.has(key)) throw reader.error(`two points have the attributes ${key}`);
      this.#startUs = startUs;
      this.#idleSinceS[this.#add(key, seriesOf(own), owner)] = idleSinceS;
    }
    this.#startUs = nextStartUs;
    for (let i = 0; i < inputs; i++) {
      const point = targets[i];
      const { attributes: own } = take(slots[i]);
      if (this.#inputs[point]++ === 0) {
        this.#idle--;
        // Held once where the output has the series' own.
        if (this.#byKey.get(attributesKey(own.attributes)) === point) this.attributes[point] = own;
      }
      this.slots.push(slots[i]);
      this.targets.push(point);
    }
  }

  #pointOf(series: SeriesAttributes, slot: number): number {
    const key = attributesKey(series.attributes);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const owner = this.#options.ownerOf(slot);
    if (this.#admission.admits(owner, this.size, this.#byKey.has(overflowKey)))
      return this.#add(key, series, owner);
    this.overflowed++;
    return this.#byKey.get(overflowKey) ?? this.#add(overflowKey, seriesOf(overflow), '');
  }

  #add(key: string, series: SeriesAttributes, owner: string): number {
    const point = this.attributes.length;
    this.#byKey.set(key, point);
    this.#admission.enter(point, owner);
    this.attributes.push(series);
    this.startUs.push(this.#startUs);
    this.#inputs.push(0);
    this.#idleSinceS.push(0);
    this.#idle++;
    return point;
  }

  #move(from: number, to: number, moved: (from: number, to: number) => void): void {
    const { attributes, startUs } = this;
    attributes[to] = attributes[from];
    startUs[to] = startUs[from];
    this.#inputs[to] = this.#inputs[from];
    this.#idleSinceS[to] = this.#idleSinceS[from];
    this.#admission.move(from, to);
    this.#byKey.set(attributesKey(attributes[to].attributes), to);
    moved(from, to);
  }

  #truncate(size: number): void {
    this.attributes.length = size;
    this.startUs.length = size;
    this.#inputs.length = size;
    this.#idleSinceS.length = size;
    this.#admission.truncate(size);
  }
}

function seriesOf(from: Attributes): SeriesAttributes {
  return { attributes: from, otlpNumber: undefined, otlpHistogram: undefined };
}

const overflow = attributes({ 'otel.metric.overflow': true });
const overflowKey = attributesKey(overflow);
