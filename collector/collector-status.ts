import type { MetricReaderConfig } from '../otel/config/metric-readers.ts';
import { attributeText } from '../otel/model/attributes.ts';
import type { CollectorCore } from './collector-core.ts';
import { isPull, type PushReader, targetOf } from './metric-readers.ts';
import type { OutputProblems } from './outputs/output-problems.ts';
import type { Outputs } from './outputs/outputs.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { CollectorCounters, CollectorLevels } from './telemetry/collector-counters.ts';

/** One agent as the admin port shows it. Times are milliseconds since the Unix epoch by the collector's clock. */
export interface AgentView {
  readonly memberId: string;
  readonly state: 'connected' | 'silent' | 'stale';
  readonly peer: string | null;
  readonly session: string | null;
  readonly incarnation: string | null;
  readonly userAgent: string | null;
  readonly connectedSinceMs: number | null;
  readonly lastReportMs: number;
  readonly lastReport: number;
  readonly reports: number;
  readonly points: number;
  readonly series: number;
  readonly resource: Readonly<Record<string, string>>;
}

/** All members whose state is held: those with a stream, those that are silent and those that are stale. */
export function agentViews(sessions: Sessions, outputs: Outputs): AgentView[] {
  const byMember = new Map([...sessions].map((session) => [session.hello?.memberId, session]));
  return [...outputs.store.members].map((member) => {
    const session = byMember.get(member.id);
    return {
      memberId: member.id,
      state: session !== undefined ? 'connected' : member.isPresent ? 'silent' : 'stale',
      peer: session?.peer ?? null,
      session: session?.id ?? null,
      incarnation: session?.incarnation ?? null,
      userAgent: session?.hello?.userAgent ?? null,
      connectedSinceMs: session === undefined ? null : Math.round(session.openedUs / 1000),
      lastReportMs: Math.round(member.lastReportUs / 1000),
      lastReport: session?.lastReport ?? 0,
      reports: session?.reports ?? 0,
      points: session?.points ?? 0,
      series: session?.series ?? member.series.size,
      resource: Object.fromEntries(
        member.resource.resource.attributes.map(([key, value]) => [key, attributeText(value)]),
      ),
    };
  });
}

/** Before there is a state. */
export const noLevels: CollectorLevels = {
  activeStreams: 0,
  membersPresent: 0,
  membersStale: 0,
  inputSeries: 0,
  otlpSeries: 0,
  outputSeries: 0,
  epochsOpened: 0,
  outputConflicts: {},
  outputOverflow: 0,
  viewsInapplicable: 0,
  storage: { kind: 'memory' },
};

/** What is the case now, for the collector's own metrics. */
export function collectorLevels(
  { state, sessions, storage }: CollectorCore,
  problems: OutputProblems,
): CollectorLevels {
  const { store, outputs } = state;
  let membersPresent = 0;
  for (const member of store.members) if (member.isPresent) membersPresent++;
  return {
    activeStreams: sessions.size,
    membersPresent,
    membersStale: store.members.size - membersPresent,
    inputSeries: store.seriesCount,
    otlpSeries: state.points.size,
    outputSeries: outputs.points,
    epochsOpened: store.epochsOpened,
    outputConflicts: problems.conflicts,
    outputOverflow: outputs.overflowed,
    viewsInapplicable: problems.inapplicable,
    storage: storage.status,
  };
}

/** How a reader is doing, as people are shown it. */
export interface ReaderFigures {
  readonly name: string;
  readonly target: string;
  readonly state: 'failing' | 'waiting' | 'ok';
  readonly points: number;
  readonly droppedPoints: number;
  /** While it fails, else empty. */
  readonly error: string;
}

/** All readers, push before pull. */
export function readerFigures(
  pushReaders: readonly PushReader[],
  configs: readonly MetricReaderConfig[],
  { scrapes }: CollectorCounters,
): ReaderFigures[] {
  const push = pushReaders.map(({ config, reader }): ReaderFigures => {
    const { name, counts, lastError, lastSuccessTimeMs, failuresInARow } = reader.status;
    return {
      name,
      target: targetOf(config),
      state: failuresInARow > 0 ? 'failing' : lastSuccessTimeMs === undefined ? 'waiting' : 'ok',
      points: counts.pointsExported,
      droppedPoints: counts.pointsFailed + counts.pointsRejected + counts.pointsDropped,
      error: failuresInARow > 0 ? (lastError?.message ?? '') : '',
    };
  });
  const pull = configs.filter(isPull).map(
    (config): ReaderFigures => ({
      name: config.name,
      target: targetOf(config),
      state: 'ok',
      points: scrapes.samples,
      droppedPoints: 0,
      error: '',
    }),
  );
  return [...push, ...pull];
}
