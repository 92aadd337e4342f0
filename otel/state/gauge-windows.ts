import type { NumberColumn } from '../../proto/columns/number-column.ts';
import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart, FreeListPart } from '../snapshot/number-parts.ts';
import { RepeatedPart } from '../snapshot/repeated-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import {
  chunkBits,
  chunkLength,
  chunkMask,
  Float64Column,
  Uint8Column,
  Uint32Column,
  Uint32List,
} from './columns.ts';
import { withoutValue } from './series-columns.ts';

/** Readers that stay. */
const maxReaders = 4096;
/** Slots of gauges. */
const maxGauges = 2 ** 28;

/** How the values that a gauge had within an interval become one. */
export type WindowReduction = 'min' | 'max' | 'mean';

/**
 * What gauges were over each reader's interval: their least and greatest value, and their mean. Kept for the gauges that a view
 * asks for, and for readers that stay, whose intervals these are. Every report of such a gauge is looked at, also one that changes nothing.
 *
 * A value stands for the time from the report before it to its own, so the mean of samples taken at one interval is their mean. The first value, or
 * the first after the gauge was away, stands for none; neither does a report that comes late, or one by a clock that was set back.
 */
export class GaugeWindows {
  /** By slot: the gauge's place in the windows; 0: nobody asks for it. */
  readonly #places = new Uint32Column();
  readonly #free = new Uint32List();
  #length = 1;
  /** By place: up to when values stand for something. */
  readonly #untilUs = new Float64Column();
  /** By place: 1 when it is not reported at present, so that the next value stands for no time. */
  readonly #isAway = new Uint8Column();
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

  /** The reader is no more: its number is another's, whose intervals begin now. */
  resetReader(reader: number): void {
    const window = new Window();
    window.grow(this.#length);
    this.#windows[reader] = window;
  }

  /** From now on the gauge's values are looked at. */
  watch(slot: number): void {
    this.#places.grow(slot + 1);
    if (this.#places.get(slot) !== 0) return;
    const place = this.#free.size > 0 ? this.#free.items[--this.#free.size]! : this.#length++;
    this.#places.set(slot, place);
    this.#untilUs.grow(this.#length);
    this.#untilUs.set(place, 0);
    this.#isAway.grow(this.#length);
    this.#isAway.set(place, 1);
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

  /** A column of gauges was reported, whose values are those of the report; `status` tells which have no recorded value in it. */
  reportAll({ attached, values, size }: NumberColumn, status: Uint8Column, timeUs: number): void {
    for (let i = 0; i < size; i++) {
      const slot = attached[i]!;
      if (this.#placeOf(slot) === 0) continue;
      if ((status.chunks[slot >>> chunkBits]![slot & chunkMask]! & withoutValue) === 0)
        this.report(slot, values[i]!, timeUs);
      else this.skip(slot, timeUs);
    }
  }

  /** The gauge is reported, with this value at this time. */
  report(slot: number, value: number, timeUs: number): void {
    const place = this.#placeOf(slot);
    if (place === 0) return;
    const untilUs = this.#untilUs.get(place);
    const weightUs = this.#isAway.get(place) === 1 ? 0 : Math.max(0, timeUs - untilUs);
    this.#isAway.set(place, 0);
    if (timeUs > untilUs) this.#untilUs.set(place, timeUs);
    for (const window of this.#windows) window.take(place, value, weightUs);
  }

  /** The gauge has no recorded value at this time: nothing stands for the time until then. */
  skip(slot: number, timeUs: number): void {
    const place = this.#placeOf(slot);
    if (place !== 0 && timeUs > this.#untilUs.get(place)) this.#untilUs.set(place, timeUs);
  }

  /** The gauge is not reported at present. */
  leave(slot: number): void {
    const place = this.#placeOf(slot);
    if (place !== 0) this.#isAway.set(place, 1);
  }

  /** A reader collects: its interval ends here, and the next one begins. */
  collected(reader: number): void {
    this.#windows[reader]?.endInterval();
  }

  /**
   * The gauge over the interval that ended with the reader's last collection; `value` is its value now, which stands for an interval without reports. The
   * same for whoever asks until the reader collects again, whatever is reported meanwhile.
   */
  reduce(slot: number, how: WindowReduction, reader: number, value: number): number {
    const window = this.#windows[reader];
    const place = this.#placeOf(slot);
    return window === undefined || place === 0 ? value : window.reduce(place, how, value);
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
      new ColumnPart('times of gauges', this.#untilUs, length),
      new ColumnPart('absences of gauges', this.#isAway, length),
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

/** The intervals of one reader, in columns by place. An interval has the number of the collections before it; none is looked at when it ends. */
class Window {
  /** How often the reader has collected, as far as 32 bits go. */
  #collections = 0;
  /** Places that there is room for. */
  #length = 0;
  /** The interval of what follows. */
  readonly #interval = new Uint32Column();
  readonly #min = new Float64Column();
  readonly #max = new Float64Column();
  readonly #integral = new Float64Column();
  readonly #weightUs = new Float64Column();
  /** The interval before that one in which the gauge was reported, and what it came to: it may not have been read yet. */
  readonly #closedInterval = new Uint32Column();
  readonly #closedMin = new Float64Column();
  readonly #closedMax = new Float64Column();
  readonly #closedIntegral = new Float64Column();
  readonly #closedWeightUs = new Float64Column();

  endInterval(): void {
    this.#collections = (this.#collections + 1) >>> 0;
  }

  grow(length: number): void {
    for (const column of [this.#min, this.#max, this.#integral, this.#weightUs]) column.grow(length);
    for (const column of [this.#closedMin, this.#closedMax, this.#closedIntegral, this.#closedWeightUs])
      column.grow(length);
    this.#interval.grow(length);
    this.#closedInterval.grow(length);
    for (; this.#length < length; this.#length++) this.clear(this.#length);
  }

  snapshotParts(length: () => number): readonly SnapshotPart[] {
    const collections = new CountPart(
      'collections',
      () => this.#collections,
      (count) => {
        this.#collections = count;
        this.#length = length();
      },
      0,
      2 ** 32 - 1,
    );
    return [
      collections,
      new ColumnPart('intervals', this.#interval, length),
      new ColumnPart('minima of intervals', this.#min, length),
      new ColumnPart('maxima of intervals', this.#max, length),
      new ColumnPart('integrals', this.#integral, length),
      new ColumnPart('weights of integrals', this.#weightUs, length),
      new ColumnPart('closed intervals', this.#closedInterval, length),
      new ColumnPart('closed minima', this.#closedMin, length),
      new ColumnPart('closed maxima', this.#closedMax, length),
      new ColumnPart('closed integrals', this.#closedIntegral, length),
      new ColumnPart('weights of closed integrals', this.#closedWeightUs, length),
    ];
  }

  clear(place: number): void {
    this.#open(place);
    this.#closedInterval.set(place, this.#collections);
    this.#closedMin.set(place, Infinity);
    this.#closedMax.set(place, -Infinity);
  }

  take(place: number, value: number, weightUs: number): void {
    if (this.#interval.get(place) !== this.#collections) this.#close(place);
    if (value < this.#min.get(place)) this.#min.set(place, value);
    if (value > this.#max.get(place)) this.#max.set(place, value);
    if (weightUs === 0) return;
    this.#integral.set(place, this.#integral.get(place) + value * weightUs);
    this.#weightUs.set(place, this.#weightUs.get(place) + weightUs);
  }

  /** Changes nothing: a reader that looks leaves no trace, so that no journal need tell of it. */
  reduce(place: number, how: WindowReduction, value: number): number {
    const wanted = (this.#collections - 1) >>> 0;
    // It may not have been closed, since nothing was reported since.
    const isOpen = this.#interval.get(place) === wanted;
    if (!isOpen && this.#closedInterval.get(place) !== wanted) return value;
    if (how === 'mean') {
      const weightUs = (isOpen ? this.#weightUs : this.#closedWeightUs).get(place);
      return weightUs > 0 ? (isOpen ? this.#integral : this.#closedIntegral).get(place) / weightUs : value;
    }
    const least = (isOpen ? this.#min : this.#closedMin).get(place);
    const greatest = (isOpen ? this.#max : this.#closedMax).get(place);
    // No value came, or all were NaN.
    if (least > greatest) return value;
    return how === 'min' ? least : greatest;
  }

  #close(place: number): void {
    this.#closedInterval.set(place, this.#interval.get(place));
    this.#closedMin.set(place, this.#min.get(place));
    this.#closedMax.set(place, this.#max.get(place));
    this.#closedIntegral.set(place, this.#integral.get(place));
    this.#closedWeightUs.set(place, this.#weightUs.get(place));
    this.#open(place);
  }

  #open(place: number): void {
    this.#interval.set(place, this.#collections);
    this.#min.set(place, Infinity);
    this.#max.set(place, -Infinity);
    this.#integral.set(place, 0);
    this.#weightUs.set(place, 0);
  }
}
