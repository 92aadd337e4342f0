import type { ViewConfig } from '../../otel/config/metric-views.ts';
import type { CollectorConfig, StreamLimits } from '../config/collector-config.ts';
import { type OtlpConfig, otlpDefaults } from '../config/otlp-config.ts';
import { longestStalenessMs } from '../views/compile-views.ts';

/** The part of the configuration that decides what becomes of what comes in: it is journalled, since doing it again needs the same. */
export interface StateRules {
  readonly limits: StreamLimits;
  readonly stalenessMs: number;
  readonly evictionMs: number;
  readonly outputExpiryMs: number;
  readonly views: readonly ViewConfig[];
  readonly otlp: OtlpRules;
}

/** What of the configuration of OTLP decides what becomes of its points. */
export type OtlpRules = Pick<OtlpConfig, 'maxPoints' | 'maxSeries' | 'overlap' | 'delayMarginMs'>;

export function stateRules({
  grpc,
  stalenessMs,
  evictionMs,
  outputExpiryMs,
  views,
  otlp,
}: CollectorConfig): StateRules {
  return { limits: grpc.limits, stalenessMs, evictionMs, outputExpiryMs, views, otlp: otlpRules(otlp) };
}

/** What streams go by. */
export function sessionRules({ limits, stalenessMs, evictionMs, views }: StateRules) {
  return { limits, stalenessMs: longestStalenessMs(views, stalenessMs), evictionMs };
}

/** As text, the same for rules that are the same. */
export function rulesText({
  limits,
  stalenessMs,
  evictionMs,
  outputExpiryMs,
  views,
  otlp,
}: StateRules): string {
  return JSON.stringify({ limits, stalenessMs, evictionMs, outputExpiryMs, views, otlp });
}

/** The part that outputs go by, likewise. */
export function outputRulesText({ stalenessMs, outputExpiryMs, views }: StateRules): string {
  return JSON.stringify({ stalenessMs, outputExpiryMs, views });
}

/** @throws SyntaxError when the text is none of {@link rulesText} */
export function rulesFromText(text: string): StateRules {
  // Rules of a time without OTLP had none of these.
  const { otlp = otlpRules(otlpDefaults), ...rules } = JSON.parse(text) as StateRules;
  return { ...rules, otlp };
}

function otlpRules({ maxPoints, maxSeries, overlap, delayMarginMs }: OtlpRules): OtlpRules {
  return { maxPoints, maxSeries, overlap, delayMarginMs };
}
