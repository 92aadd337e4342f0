import fs from 'node:fs';
import path from 'node:path';
import type { Attributes } from '../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import type { Changes } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import { HeldNumber } from './held-number.ts';
import type { HostContext } from './host-context.ts';
import { NameTable } from './name-table.ts';
import { SeriesSet } from './series-set.ts';

/** One monotonic counter that each device has. */
export interface DeviceCounter {
  readonly metric: MetricDescription;
  readonly attributes: (device: string) => Attributes;
  readonly step: number;
  /** How often it does where the device is in use. */
  readonly changes: Changes;
}

/** What tells devices of one kind apart. */
export interface DeviceKind {
  /** For sentences: `disks`. */
  readonly plural: string;
  readonly counters: readonly DeviceCounter[];
  /** Whether a device is reported at all; asked once. */
  wanted(name: string): boolean;
  /** The file whose number is another one for each device that ever bears the name. Its directory exists while the device does. */
  identityPath(name: string): string;
  /** The parts of the epoch's token. */
  epochParts(name: string, identity: number | undefined): (string | number)[];
  /** Whether the counters start at zero when the device appears under its name. Asked once a device. */
  beginsAtZero(name: string): boolean;
}

interface Device {
  readonly name: string;
  readonly wanted: boolean;
  readonly held: HeldNumber;
  readonly values: Float64Array;
  identity: number | undefined;
  /** `undefined`: to be defined. */
  set: SeriesSet | undefined;
  /** The reading before its life began; `undefined`: it was there at the first. */
  after: Reading | undefined;
  missed: boolean;
}

interface Reading {
  readonly nowMs: number;
  readonly timeUs: number;
}

const maxDevices = 4096;

/**
 * The counters of devices that come and go, from a file that lists them one a line. The source parses the lines; this defines,
 * sets and retires the series.
 *
 * When a life began: a device that was there at the first reading began after the boot at the earliest; one that was absent
 * at a reading and is there at the next began after the former. Where a counter may be older than its device's name, that is unknown.
 */
export class DeviceCounters {
  readonly #context: HostContext;
  readonly #group: SeriesCells;
  readonly #kind: DeviceKind;
  readonly #table: NameTable<Device>;
  readonly #devices = new Set<Device>();
  #current: Reading = { nowMs: 0, timeUs: 0 };
  /** The last reading that listed everything; `undefined` after one that failed. */
  #previous: Reading | undefined;
  #warned = false;

  constructor(context: HostContext, group: SeriesCells, kind: DeviceKind) {
    this.#context = context;
    this.#group = group;
    this.#kind = kind;
    this.#table = new NameTable((name) => this.#appear(name), maxDevices);
    context.onStop(() => {
      for (const { held } of this.#devices) held.close();
    });
  }

  /** To be called before the file is read. */
  begin(): void {
    const { clock } = this.#context;
    this.#current = { nowMs: clock.monotonicMs(), timeUs: clock.nowUs() };
    this.#table.begin();
  }

  /**
   * The place for the counters of the device whose name stands in `bytes[from..to)`, in the order of the kind's `counters`, or
   * `undefined` for a device that is not reported.
   */
  at(bytes: Uint8Array, from: number, to: number): Float64Array | undefined {
    const device = this.#table.at(bytes, from, to);
    if (device === undefined) {
      if (!this.#warned) {
        const { plural } = this.#kind;
        this.#context.log.warn(
          { limit: maxDevices },
          `there are more than ${maxDevices} ${plural}: the others are left out; exclude names to choose`,
        );
      }
      this.#warned = true;
      return undefined;
    }
    device.missed = false;
    return device.wanted ? device.values : undefined;
  }

  /** To be called when the whole list was read and all values are in their places. */
  end(): void {
    this.#table.sweep((device) => this.#missing(device));
    for (const device of this.#devices) if (!device.missed) this.#identify(device);
    for (const { set, values, missed } of this.#devices) {
      if (set === undefined || missed) continue;
      for (let i = 0; i < values.length; i++) set.put(i, values[i]!);
    }
    this.#previous = this.#current;
  }

  /** To be called instead of `end` when the file cannot be read. */
  unreadable(): void {
    for (const device of this.#devices) device.set?.retire('idle');
    this.#previous = undefined;
  }

  #appear(name: string): Device {
    const wanted = this.#kind.wanted(name);
    const device: Device = {
      name,
      wanted,
      held: new HeldNumber(this.#kind.identityPath(name)),
      values: new Float64Array(this.#kind.counters.length),
      identity: undefined,
      set: undefined,
      after: this.#previous,
      missed: false,
    };
    if (wanted) {
      device.identity = device.held.read();
      this.#devices.add(device);
    }
    return device;
  }

  /**
   * True: forget it. A list that changes while it is read can leave a device out once, so one that /sys still knows is not gone,
   * and not even idle before its second absence.
   */
  #missing(device: Device): boolean {
    if (!device.wanted) return true;
    if (fs.existsSync(path.dirname(device.held.path))) {
      if (device.missed) device.set?.retire('idle');
      device.missed = true;
      return false;
    }
    device.set?.retire('gone');
    device.held.close();
    this.#devices.delete(device);
    return true;
  }

  /** Looks whether it is still the same device, and makes the series of one that has none. */
  #identify(device: Device): void {
    const identity = device.held.read();
    if (identity !== undefined && identity !== device.identity) {
      const known = device.identity !== undefined;
      device.identity = identity;
      if (known) {
        // Another device took the name. Whose values stand in this list cannot be told, so the next one's are the first.
        device.set?.retire('gone');
        device.set = undefined;
        device.after = this.#previous;
        device.missed = true;
        return;
      }
    }
    device.set ??= this.#define(device);
  }

  #define(device: Device): SeriesSet {
    const { boot, scope } = this.#context;
    const { name, identity, after, values } = device;
    // One that has never counted anything will likely go on so.
    const isUsed = values.some((value) => value > 0);
    const beganMs = this.#kind.beginsAtZero(name)
      ? after === undefined
        ? boot.epoch.beganMs
        : after.nowMs
      : undefined;
    const epoch = { token: boot.token(...this.#kind.epochParts(name, identity)), beganMs };
    const startTimeUs = after === undefined ? boot.startTimeUs : after.timeUs;
    const series = this.#kind.counters.map(({ metric, attributes, step, changes }) => ({
      scope,
      metric,
      attributes: attributes(name),
      step,
      changes: isUsed ? changes : ('seldom' as const),
      epoch,
      startTimeUs,
    }));
    return new SeriesSet(this.#group, series);
  }
}
