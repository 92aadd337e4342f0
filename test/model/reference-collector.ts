import { evictionUs, longestStalenessUs, ModelMembers } from './model-members.ts';
import { ModelOwners } from './model-owners.ts';
import { ModelPointSources } from './model-point-sources.ts';
import type { ModelPointRules } from './model-points.ts';
import { ModelStreams } from './model-streams.ts';

/*
 * What the collector promises, in plain objects and by events: totals are added up increment by increment as values come in, where the
 * engine adds columns up at collection. Written from docs/aggregation.md, docs/architecture.md, docs/protocol.md and "Metrics Data Model" of OpenTelemetry's
 * specification. Times are microseconds; all that happens has a second of its own.
 *
 * Deviations from the specification, and why:
 *
 * - The first value of an epoch that may have begun before the horizon is a baseline: with several writers joined it cannot be known
 *   what of it was counted already, and nothing is counted twice.
 * - A delta that comes late is added, where "Delta-to-Cumulative" allows to drop it; one that overlaps is refused, where the specification hands both on:
 *   a total that is too high cannot be told from a right one.
 * - Within an epoch start times stay, though a source may tell others: sources tell them by clocks that are set.
 * - Minimum and maximum are not in points that were added up or taken apart: they hold for a report's own interval.
 * - A distribution over members is a delta for cumulative readers too: a cumulative one would not show the present.
 * - Names of one stream in upper and lower case, scopes and exemplars are not here: they have tests of their own.
 *
 * What the documents leave open is not put to the test: which of two values of one time is the newest after series have moved to another
 * resource together, and in what order those then compete for the last places of a limit.
 */

/** The whole of it: who may speak, what was told by streams and by points, and what time does. */
export class ReferenceCollector {
  readonly members: ModelMembers;
  readonly streams: ModelStreams;
  readonly points: ModelPointSources;
  readonly owners = new ModelOwners();

  constructor(birthUs: number, pointRules: ModelPointRules) {
    this.members = new ModelMembers(birthUs);
    this.streams = new ModelStreams(this.members);
    this.points = new ModelPointSources(this.members, pointRules);
  }

  /** The connection is gone. */
  disconnect(id: string): void {
    this.streams.disconnect(id);
    this.owners.release(id);
  }

  goodbye(id: string, nowUs: number): void {
    this.streams.goodbye(id, nowUs);
    this.owners.release(id);
  }

  /** What time does to members and series. */
  tick(nowUs: number): void {
    this.streams.tick(nowUs);
    const { members } = this;
    for (const member of [...members.byId.values()]) {
      if (member.isPresent && nowUs - member.reportedUs > longestStalenessUs) members.leave(member, nowUs);
      if (this.streams.has(member.id)) continue;
      // Without a series there is nothing to wait for.
      const isEmpty = ![...members.series].some((series) => series.member === member);
      if (!isEmpty && nowUs - member.heardUs <= evictionUs) continue;
      members.evict(member, nowUs);
      this.owners.forget(member.id);
    }
    this.points.tick(nowUs);
  }
}
