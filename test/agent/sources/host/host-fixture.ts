import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hostSources } from '../../../../agent/sources/host/host.ts';
import { type HostOptions, hostDefaults } from '../../../../agent/sources/host/host-options.ts';
import type { Source } from '../../../../agent/sources/source.ts';
import {
  type AgentSeries,
  type RetireReason,
  SamplingGroup,
} from '../../../../agent/state/sampling-group.ts';

export const bootIdText = '8a5f2b1c-0d3e-4f60-9a7b-1c2d3e4f5a6b';

export interface Seen {
  readonly value: number;
  readonly series: AgentSeries;
}

/** A host of text files in a directory of its own, with a clock that stands until it is moved. */
export class HostFixture {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-host-'));
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  /** What left, with its reason, in the order of leaving. */
  readonly retired: (readonly [key: string, reason: RetireReason])[] = [];
  readonly group = new SamplingGroup(1, 1000, 'incarnation');
  nowMs = 5_000_000;
  timeUs = 1_700_000_000_000_000;

  constructor() {
    this.write('/proc/sys/kernel/random/boot_id', `${bootIdText}\n`);
    this.write('/proc/uptime', '1000.25 1900.00\n');
    const { group } = this;
    const retire = group.retire.bind(group);
    group.retire = (cell, reason) => {
      const series = group.seriesAt(cell);
      if (series !== undefined) this.retired.push([keyOf(series), reason]);
      retire(cell, reason);
    };
  }

  /** In place, as the kernel changes its files: descriptors that are open see it. */
  write(file: string, content: string | Uint8Array): void {
    const full = this.root + file;
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, content);
  }

  /** Emptied first, so that open descriptors see that it is gone, as those of the kernel's files do. */
  remove(file: string): void {
    const full = this.root + file;
    if (!fs.existsSync(full)) return;
    if (fs.statSync(full).isDirectory())
      for (const inner of fs.readdirSync(full)) this.remove(path.join(file, inner));
    else fs.writeFileSync(full, '');
    fs.rmSync(full, { recursive: true });
  }

  source(name: keyof HostOptions, options: Partial<HostOptions> = {}): Source {
    const only = Object.fromEntries(
      Object.entries({ ...hostDefaults, ...options }).map(([key, group]) => [
        key,
        { ...group, enabled: key === name },
      ]),
    ) as unknown as HostOptions;
    const [source] = hostSources({
      options: only,
      groupFor: () => this.group,
      root: this.root,
      platform: 'linux',
      clock: { monotonicMs: () => this.nowMs, nowUs: () => this.timeUs },
      log: {
        info: (_fields, message) => this.infos.push(message),
        warn: (_fields, message) => this.warnings.push(message),
      },
    });
    return source!;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.timeUs += ms * 1000;
  }

  /** All that is defined, by name and attributes. */
  seen(): Map<string, Seen> {
    const all = new Map<string, Seen>();
    for (let cell = 0; cell < this.group.cells; cell++) {
      const series = this.group.seriesAt(cell);
      if (series !== undefined) all.set(keyOf(series), { value: this.group.values[cell]!, series });
    }
    return all;
  }

  values(): Record<string, number> {
    return Object.fromEntries([...this.seen()].map(([key, { value }]) => [key, value]));
  }

  series(key: string): AgentSeries | undefined {
    return this.seen().get(key)?.series;
  }

  dispose(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

/** `system.disk.io sda,read`: the name and the values of the attributes, in the order of their keys. */
export function keyOf(series: AgentSeries): string {
  return `${series.metric.name} ${series.attributes.map(([, value]) => String(value)).join(',')}`.trimEnd();
}

/** The words of a line. */
export function words(line: string): string[] {
  return line.trim().split(/\s+/);
}
