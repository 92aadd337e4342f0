import type { Attributes } from '../../otel/model/attributes.ts';
import type { ModelHistogram } from '../otel/state/exponential-model.ts';
import type { CatalogueSeries } from './catalogue.ts';
import type { PointHistory } from './model-points.ts';
import { type Amount, heldAfter, isExponential, minus, plus, zeroOf } from './model-values.ts';
import type { ModelOutput } from './model-views.ts';
import { GaugeWindow } from './model-window.ts';

export interface ModelReader {
  readonly temporality: 'cumulative' | 'delta';
  /** Whether it is one that stays, and has an interval of its own. */
  readonly stays: boolean;
  collectedUs: number;
  deliveredUs: number;
}

export interface ModelMember {
  readonly id: string;
  resource: Attributes;
  readonly series: Map<string, ModelSeries>;
  readonly groups: Map<number, { timeUs: number }>;
  /** When it last reported or connected. */
  heardUs: number;
  /** When it last reported. */
  reportedUs: number;
  isPresent: boolean;
}

/** Something of a joining output that is told what its series count. */
export interface Counting {
  count(series: ModelSeries, increment: Amount): void;
}

type Given = Pick<ModelSeries, 'of' | 'member' | 'resource' | 'epoch' | 'clock' | 'leftUs'> &
  Partial<Pick<ModelSeries, 'startUs' | 'beganAfterHorizon' | 'history'>>;

/** A series of a member in one place: when its resource changes, another one takes its place. */
export class ModelSeries {
  readonly of: CatalogueSeries;
  readonly member: ModelMember;
  readonly resource: Attributes;
  epoch: string;
  previousEpoch = ' none';
  beganAfterHorizon: boolean;
  /** The last value that was taken in this epoch. */
  held: Amount | undefined;
  /** What the reports of this epoch span; NaN: nothing was measured. */
  min = NaN;
  max = NaN;
  startUs: number;
  clock: { timeUs: number };
  isPresent = false;
  isEnded = false;
  isFlagged = false;
  /** It was not reported for a while, or is on another stream: its next value stands for no time. */
  isAway = true;
  leftUs: number;
  /** What it was told by points; absent for series of streams. */
  readonly history: PointHistory | undefined;
  /** When a point of it was taken last. */
  seenUs = 0;
  /** The outputs that hand it on, and what points are named by there. */
  readonly passing: { readonly output: ModelOutput; readonly name: string }[] = [];
  /** The points of joining outputs that it goes into. */
  readonly points: Counting[] = [];
  /** What each delta reader was given of it. */
  readonly bases = new Map<ModelReader, Amount>();
  readonly #windows = new Map<ModelReader, GaugeWindow>();
  /** What has been counted, added up by increments. Of exponential histograms: what earlier epochs counted, less the baseline of this one. */
  #counted: Amount;

  constructor({ of, member, resource, epoch, clock, leftUs, startUs = 0, ...rest }: Given) {
    this.of = of;
    this.member = member;
    this.resource = resource;
    this.epoch = epoch;
    this.clock = clock;
    this.leftUs = leftUs;
    this.startUs = startUs;
    this.beganAfterHorizon = rest.beganAfterHorizon ?? false;
    this.history = rest.history;
    this.#counted = zeroOf(of.metric);
  }

  /** What has been counted here, over all epochs. */
  get counted(): Amount {
    if (!isExponential(this.#counted)) return this.#counted;
    return this.held === undefined ? this.#counted : plus(this.held, this.#counted);
  }

  beginEpoch(): void {
    if (isExponential(this.#counted) && this.held !== undefined)
      this.#counted = plus(this.#counted, this.held);
    this.held = undefined;
    this.min = NaN;
    this.max = NaN;
  }

  /** Goes on where another one was, and has counted nothing yet. */
  moveFrom({ held, min, max, isFlagged, previousEpoch, seenUs }: ModelSeries): void {
    Object.assign(this, { held, min, max, isFlagged, previousEpoch, seenUs });
    if (held !== undefined) this.#setAside(held);
  }

  /** The epoch's first value: counted, or set aside as a baseline. Gives what was counted. */
  takeFirst(value: Amount, isWhole: boolean): Amount {
    this.held = value;
    if (!isWhole) this.#setAside(value);
    return this.#count(isWhole ? value : zeroOf(this.of.metric), zeroOf(this.of.metric));
  }

  /** A later value. Gives what was counted with it. */
  takeNext(value: Amount): Amount {
    const before = this.held!;
    this.held = heldAfter(value, before);
    return this.#count(this.held, before);
  }

  #count(now: Amount, before: Amount): Amount {
    const increment = minus(now, before);
    if (!isExponential(increment)) this.#counted = plus(this.#counted, increment);
    for (const point of this.points) point.count(this, increment);
    return increment;
  }

  #setAside(value: Amount): void {
    if (isExponential(value)) this.#counted = minus(this.#counted as ModelHistogram, value);
  }

  takeRange(min: number, max: number): void {
    if (!(this.min <= min) && !Number.isNaN(min)) this.min = min;
    if (!(this.max >= max) && !Number.isNaN(max)) this.max = max;
  }

  /** It is not reported at present; its counter state stays. */
  leave(nowUs: number): void {
    if (this.isPresent) {
      this.leftUs = nowUs;
      this.isAway = true;
    }
    this.isPresent = false;
  }

  end(nowUs: number): void {
    this.leave(nowUs);
    this.isEnded = true;
  }

  /** Its window of a reader that stays. */
  windowOf(reader: ModelReader): GaugeWindow {
    let window = this.#windows.get(reader);
    if (window === undefined) {
      window = new GaugeWindow();
      this.#windows.set(reader, window);
    }
    return window;
  }
}
