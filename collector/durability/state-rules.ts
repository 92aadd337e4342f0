import type { ViewConfig } from '../../otel/config/metric-views.ts';
import type { CollectorConfig, StreamLimits } from '../config/collector-config.ts';
import { longestStalenessMs } from '../views/compile-views.ts';

/** The part of the configuration that decides what becomes of what comes in: it is journalled, since doing it again needs the same. */
export interface StateRules {
  readonly limits: StreamLimits;
  readonly stalenessMs: number;
  readonly evictionMs: number;
  readonly outputExpiryMs: number;
  readonly views: readonly ViewConfig[];
}

export function stateRules({
  grpc,
  stalenessMs,
  evictionMs,
  outputExpiryMs,
  views,
}: CollectorConfig): StateRules {
  return { limits: grpc.limits, stalenessMs, evictionMs, outputExpiryMs, views };
}

/** What streams go by. */
export function sessionRules({ limits, stalenessMs, evictionMs, views }: StateRules) {
  return { limits, stalenessMs: longestStalenessMs(views, stalenessMs), evictionMs };
}

/** As text, the same for rules that are the same. */
export function rulesText({ limits, stalenessMs, evictionMs, outputExpiryMs, views }: StateRules): string {
  return JSON.stringify({ limits, stalenessMs, evictionMs, outputExpiryMs, views });
}

/** The part that outputs go by, likewise. */
export function outputRulesText({ stalenessMs, outputExpiryMs, views }: StateRules): string {
  return JSON.stringify({ stalenessMs, outputExpiryMs, views });
}

/** @throws SyntaxError when the text is none of {@link rulesText} */
export function rulesFromText(text: string): StateRules {
  return JSON.parse(text) as StateRules;
}
