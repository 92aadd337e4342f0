import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { bootId } from '../../../otel/stream/boot-id.ts';
import type { AgentSeries, Epoch } from '../../state/sampling-group.ts';
import { causeOf, type HostClock, type HostLog } from './host-context.ts';

/** The boot of the host, as far as it can be known. */
export interface Boot {
  /** The epoch of all that counts since the boot. */
  readonly epoch: Epoch;
  /** By the host's clock, microseconds since the Unix epoch; 0: unknown. */
  readonly startTimeUs: number;
  /** The token of a counter's life within this boot, from all that must stay equal in it. At most 22 characters. */
  token(...parts: (string | number)[]): string;
}

/**
 * Reads when the host booted. `beganMs` is never later than the truth: the clock is read before /proc/uptime, which leaves out
 * less than 10 ms, and time asleep, which the monotonic clock leaves out, makes the boot look older.
 *
 * Without a boot id nothing tells two boots apart, so the epochs then hold for this process only, and when they began is unknown.
 */
export function readBoot(root: string, clock: HostClock, log: HostLog): Boot {
  let id: string | undefined;
  try {
    id = bootId(root);
  } catch (error) {
    log.warn(
      { path: `${root}/proc/sys/kernel/random/boot_id` },
      `cannot read the boot id from ${root}/proc/sys/kernel/random/boot_id (${causeOf(error)}): merged totals count the host's counters from the start of this agent only`,
    );
  }
  const life = id ?? randomUUID();
  const token = (...parts: (string | number)[]): string => epochToken(life, ...parts);
  const beganMs = id === undefined ? undefined : bootBeganMs(root, clock);
  return { epoch: { token: token('boot'), beganMs }, startTimeUs: bootTimeUs(root), token };
}

/** Hashed, for a token has at most 64 bytes, and a boot id with an incarnation behind it would be longer. */
function epochToken(...parts: (string | number)[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 22);
}

function bootBeganMs(root: string, clock: HostClock): number | undefined {
  const nowMs = clock.monotonicMs();
  const uptime = firstMatch(`${root}/proc/uptime`, /^(\d+\.\d+) /);
  return uptime === undefined ? undefined : nowMs - Number(uptime) * 1000 - 10;
}

function bootTimeUs(root: string): number {
  return Number(firstMatch(`${root}/proc/stat`, /^btime (\d+)$/m) ?? 0) * 1e6;
}

/** The sources that need these files warn of them; here they are but the times of a start. */
function firstMatch(path: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(fs.readFileSync(path, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/** What a sum that holds since the boot adds to its series. */
export function sinceBoot(boot: Boot): Pick<AgentSeries, 'epoch' | 'startTimeUs'> {
  return { epoch: boot.epoch, startTimeUs: boot.startTimeUs };
}
