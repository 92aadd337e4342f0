import { attributeText } from '../otel/model/attributes.ts';
import type { Outputs } from './outputs/outputs.ts';
import type { Sessions } from './sessions/sessions.ts';

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
