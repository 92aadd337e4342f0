import { Seldom } from './seldom.ts';

type Log = (level: 'info' | 'warn', fields: object, message: string) => void;

/**
 * A log whose warnings of what peers do come seldom: of those with one message and cause from one address the first, and then one in each
 * minute with the number of those in between as `times`. Peers are who a field `peer` names; all else is written as it comes.
 */
export function seldomWarnings(log: Log, nowMs?: () => number): Log {
  const seldom = new Seldom(nowMs);
  return (level, fields, message) => {
    const { peer, cause = '' } = fields as { readonly peer?: unknown; readonly cause?: unknown };
    if (level !== 'warn' || typeof peer !== 'string') {
      log(level, fields, message);
      return;
    }
    const kind = `${message} ${cause}`;
    const times = seldom.due(`${kind} ${peer.replace(/:\d+$/, '')}`, kind);
    if (times !== undefined) log(level, times > 1 ? { ...fields, times } : fields, message);
  };
}
