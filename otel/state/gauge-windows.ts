import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart, FreeListPart } from '../snapshot/number-parts.ts';
import { RepeatedPart } from '../snapshot/repeated-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { chunkBits, chunkLength, Float64Column, Uint32Column, Uint32List } from './columns.ts';

/** Readers that stay. */
const maxReaders = 4096;
/** Slots of gauges. */
const maxGauges = 2 ** 28;

/** How the values that a gauge had within an interval become one. */
export type WindowReduction = 'min' | 'max' | 'mean';

/**
 * What gauges were since each reader's last collection: their least and greatest value, and their mean. Kept for the gauges that a view
 * asks for, and for readers that stay, whose intervals these are.
 *
 * A value stands for the time from the report before it to its own, so the mean of samples taken at one interval is their mean, and one that
 * did not change costs nothing. A report that comes late, or a clock that was set back, has no time to stand for.
 */
export class GaugeWindows {
  /** By slot: the gauge's place in the windows; 0: nobody asks for it. */
  readonly #places = new Uint32Column();
  readonly #free = new Uint32List();
  #length = 1;
  /** By reader. */
  readonly #windows: Window[] = [];

  /** Whether no gauge is watched, nor ever was. */
  get isIdle(): boolean {
    return this.#length === 1;
  }

  /** Gives the number of the new reader, from 0. */
  addReader(): number {
    const window = new Window();
    window.grow(this.#length);
    return this.#windows.push(window) - 1;
  }

  /** From now on the gauge's values are looked at. */
  watch(slot: number): void {
    this.#places.grow(slot + 1);
    if (this.#places.get(slot) !== 0) return;
    const place = this.#free.size > 0 ? this.#free.items[--this.#free.size]! : this.#length++;
    this.#places.set(slot, place);
    for (const window of this.#windows) {
      window.grow(this.#length);
      window.clear(place);
    }
  }

  /** The slot is free, and may be another gauge's. */
  release(slot: number): void {
    const place = this.#placeOf(slot);
    if (place === 0) return;
    this.#places.set(slot, 0);
    this.#free.push(place);
  }

  /** The gauge is reported for the first time, or again: what was in between stands for nothing. */
  begin(slot: number, value: number, timeUs: number): void {
    const place = this.#placeOf(slot);
    if (place !== 0) for (const window of this.#windows) window.begin(place, value, timeUs);
  }

  /**
   * The gauge's value changes from `before` to `value` with a report at `timeUs`. `previousUs`: when the report before it was, which had
   * `before` still.
   */
  change(slot: number, before: number, value: number, previousUs: number, timeUs: number): void {
    const place = this.#placeOf(slot);
    if (place !== 0)
      for (const window of this.#windows) window.change(place, before, value, previousUs, timeUs);
  }

  /**
   * The gauge over the reader's interval, which ends with this collection; `value` is its value now, `timeUs` when it was reported
   * last. The same for whoever asks again with the same `collection`, a number from 1 that grows.
   */
  reduce(
    slot: number,
    how: WindowReduction,
    reader: number,
    collection: number,
    value: number,
    timeUs: number,
  ): number {
    const window = this.#windows[reader];
    const place = this.#placeOf(slot);
    return window === undefined || place === 0 ? value : window.reduce(place, how, collection, value, timeUs);
  }

  /** For a snapshot. Loading keeps the readers that are there: the first takes the first window, and so on. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.#length;
    const places = () => this.#places.chunks.length * chunkLength;
    return [
      new ColumnPart('places of gauges', this.#places, places, maxGauges),
      new CountPart(
        'places',
        length,
        (count) => {
          this.#length = count;
        },
        1,
      ),
      new FreeListPart(
        'free places',
        () => this.#free,
        length,
        (reader) => {
          if (!this.#isConsistent())
            throw reader.error('the places of gauges are not each in use by one, or free');
          for (const window of this.#windows) window.grow(this.#length);
        },
      ),
      new RepeatedPart(
        'readers',
        this.#windows,
        () => new Window(),
        (window) => window.snapshotParts(length),
        maxReaders,
      ),
    ];
  }

  /** The readers are others from now on: of each, the number it had before, or `undefined` for a new one. For who goes on from a snapshot. */
  arrangeReaders(before: readonly (number | undefined)[]): void {
    const windows = before.map((reader) => (reader === undefined ? undefined : this.#windows[reader]));
    this.#windows.length = 0;
    for (const window of windows) this.#windows.push(window ?? new Window());
    for (const window of this.#windows) window.grow(this.#length);
  }

  /** Whether as many places are taken as are not free, and all are places that there are. */
  #isConsistent(): boolean {
    let taken = 0;
    for (const chunk of this.#places.chunks)
      for (const place of chunk) {
        if (place >= this.#length) return false;
        if (place !== 0) taken++;
      }
    return taken === this.#length - 1 - this.#free.size;
  }

  #placeOf(slot: number): number {
    const { chunks } = this.#places;
    return slot >>> chunkBits < chunks.length ? this.#places.get(slot) : 0;
  }
}

/** The intervals of one reader, in columns by place. */
class Window {
  /** When the interval began; 0 before the first value. */
  readonly #fromUs = new Float64Column();
  /** Up to when the integral goes. */
  readonly #integratedUs = new Float64Column();
  readonly #integral = new Float64Column();
  readonly #min = new Float64Column();
  readonly #max = new Float64Column();
  /** The interval before, as it was given to the collection of this number. */
  readonly #collection = new Uint32Column();
  readonly #closedMin = new Float64Column();
  readonly #closedMax = new Float64Column();
  readonly #closedMean = new Float64Column();

  grow(length: number): void {
    for (const column of [this.#fromUs, this.#integratedUs, this.#integral, this.#min, this.#max])
      column.grow(length);
    for (const column of [this.#closedMin, this.#closedMax, this.#closedMean]) column.grow(length);
    this.#collection.grow(length);
  }

  snapshotParts(length: () => number): readonly SnapshotPart[] {
    return [
      new ColumnPart('beginnings of intervals', this.#fromUs, length),
      new ColumnPart('ends of integrals', this.#integratedUs, length),
      new ColumnPart('integrals', this.#integral, length),
      new ColumnPart('minima of intervals', this.#min, length),
      new ColumnPart('maxima of intervals', this.#max, length),
      new ColumnPart('collections of intervals', this.#collection, length),
      new ColumnPart('closed minima', this.#closedMin, length),
      new ColumnPart('closed maxima', this.#closedMax, length),
      new ColumnPart('closed means', this.#closedMean, length),
    ];
  }

  clear(place: number): void {
    this.#collection.set(place, 0);
    this.#fromUs.set(place, 0);
  }

  begin(place: number, value: number, timeUs: number): void {
    if (this.#fromUs.get(place) === 0) this.#open(place, timeUs);
    else {
      // The time in between is taken out of the interval.
      const gapUs = Math.max(0, timeUs - this.#integratedUs.get(place));
      this.#fromUs.set(place, this.#fromUs.get(place) + gapUs);
      this.#integratedUs.set(place, this.#integratedUs.get(place) + gapUs);
    }
    this.#take(place, value);
  }

  change(place: number, before: number, value: number, previousUs: number, timeUs: number): void {
    if (this.#fromUs.get(place) === 0) {
      this.begin(place, value, timeUs);
      return;
    }
    const integrated = this.#integratedUs.get(place);
    if (previousUs > integrated) {
      this.#integral.set(place, this.#integral.get(place) + before * (previousUs - integrated));
      this.#integratedUs.set(place, previousUs);
      // It was reported with the value before within the interval.
      this.#take(place, before);
    }
    this.#take(place, value);
  }

  reduce(place: number, how: WindowReduction, collection: number, value: number, timeUs: number): number {
    if (this.#collection.get(place) !== collection) this.#close(place, collection, value, timeUs);
    if (how === 'mean') return this.#closedMean.get(place);
    return how === 'min' ? this.#closedMin.get(place) : this.#closedMax.get(place);
  }

  #close(place: number, collection: number, value: number, timeUs: number): void {
    this.#collection.set(place, collection);
    const integrated = this.#integratedUs.get(place);
    const hasBegun = this.#fromUs.get(place) !== 0;
    const isLive = hasBegun && timeUs > integrated;
    if (isLive) this.#take(place, value);
    const integral = this.#integral.get(place) + (isLive ? value * (timeUs - integrated) : 0);
    const lengthUs = Math.max(timeUs, integrated) - this.#fromUs.get(place);
    // A place of a reader that is new has seen nothing.
    const hasValue = hasBegun && this.#min.get(place) <= this.#max.get(place);
    this.#closedMin.set(place, hasValue ? this.#min.get(place) : value);
    this.#closedMax.set(place, hasValue ? this.#max.get(place) : value);
    this.#closedMean.set(place, hasBegun && lengthUs > 0 ? integral / lengthUs : value);
    this.#open(place, Math.max(timeUs, integrated));
  }

  #open(place: number, timeUs: number): void {
    this.#fromUs.set(place, timeUs);
    this.#integratedUs.set(place, timeUs);
    this.#integral.set(place, 0);
    this.#min.set(place, Infinity);
    this.#max.set(place, -Infinity);
  }

  #take(place: number, value: number): void {
    if (value < this.#min.get(place)) this.#min.set(place, value);
    if (value > this.#max.get(place)) this.#max.set(place, value);
  }
}
