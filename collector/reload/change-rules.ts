import { StreamgaugeError } from '../../proto/error.ts';
import type { CollectorCore } from '../collector-core.ts';
import { rulesText, type StateRules } from '../durability/state-rules.ts';

/**
 * Makes the state go by other rules, at one moment, which is journalled with them: when nothing of the outputs is read, and no checkpoint is open. Gives whether they are others.
 * @throws StreamgaugeError `bug` at another moment; nothing has changed then
 */
export function changeRules(
  { state, sessions, rulesChanged }: Pick<CollectorCore, 'state' | 'sessions' | 'rulesChanged'>,
  rules: StateRules,
): boolean {
  if (rulesText(rules) === rulesText(state.rules)) return false;
  const nowUs = state.clock.nowUs();
  if (!state.change(rules, sessions, nowUs))
    throw new StreamgaugeError('bug', 'the views cannot be changed while an interval is read');
  rulesChanged(nowUs, rules);
  return true;
}
