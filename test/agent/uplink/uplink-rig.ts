import { randomBytes } from 'node:crypto';
import { type AgentSeries, SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { Uplink, type UplinkOptions } from '../../../agent/uplink/uplink.ts';
import { systemClock } from '../../../otel/clock.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { recordedLog } from '../recorded-log.ts';

/** A monotonic sum with an epoch of its own. */
export function counter(name: string, more: Partial<AgentSeries> = {}): AgentSeries {
  return {
    scope: { ...emptyScope, name: 'test.scope', version: '1' },
    metric: metric({ name, kind: 'sum', isMonotonic: true, unit: 'By', valueType: 'int' }),
    attributes: attributes({ name }),
    epoch: { token: `boot/${name}`, beganMs: -1000 },
    ...more,
  };
}

export function gauge(name: string, more: Partial<AgentSeries> = {}): AgentSeries {
  return {
    scope: emptyScope,
    metric: metric({ name, kind: 'gauge' }),
    attributes: attributes({ name }),
    ...more,
  };
}

export const testIncarnation = 'feedfacefeedface';

/** An uplink with groups that a test fills by hand. It is stopped at the end of the test. */
export function uplinkRig(address: string, options: Partial<UplinkOptions> = {}) {
  const group = new SamplingGroup(0, 1000, testIncarnation);
  const groups = [group];
  const log = recordedLog();
  const uplink = new Uplink({
    identity: {
      memberId: 'member-1',
      incarnation: randomBytes(16),
      bootId: 'boot-1',
      resource: { attributes: attributes({ 'host.name': 'h1' }), schemaUrl: 'https://schema/1' },
      userAgent: 'streamgauge/test',
    },
    endpoint: address,
    channel: { target: address },
    groups: () => groups,
    clock: systemClock,
    log,
    backOff: { initialMs: 20, maxMs: 100, stableMs: 60_000 },
    ...options,
  });
  let timeUs = 1_800_000_000_000_000;
  return {
    group,
    groups,
    log,
    uplink,
    /** One collection of the group, or of others, and its report. */
    tick(...which: SamplingGroup[]): number {
      timeUs += 1_000_000;
      for (const one of which.length === 0 ? [group] : which) {
        one.timeUs = timeUs;
        one.collections++;
      }
      uplink.report();
      return timeUs;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      uplink.stop();
    },
  };
}
