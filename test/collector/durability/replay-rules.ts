import type { StateRules } from '../../../collector/durability/state-rules.ts';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { stalenessMs, views } from '../../model/catalogue-views.ts';

const limits = {
  maxMessageBytes: 1e6,
  maxSeries: 1000,
  maxAttributes: 8,
  maxAttributeBytes: 64,
  maxStreams: 9,
  maxMembers: 100,
};

const everything: StateRules = {
  limits,
  stalenessMs,
  evictionMs: 86_400_000,
  outputExpiryMs: 86_400_000,
  views,
  otlp: { maxPoints: 1000, maxSeries: 100, overlap: 'drop', delayMarginMs: 2000 },
};

function merged(view: ViewConfig): ViewConfig {
  return { ...view, stream: { ...view.stream, resourceKeys: ['region'] } };
}

/** Rules that may follow each other: other limits, times and views. */
export const replayRules: readonly StateRules[] = [
  everything,
  {
    ...everything,
    limits: { ...limits, maxSeries: 16, maxMembers: 2 },
    otlp: { ...everything.otlp, overlap: 'sum' },
  },
  { ...everything, views: views.filter((_, i) => i % 2 === 0) },
  { ...everything, views: views.map((view, i) => (i % 5 === 1 ? merged(view) : view)), stalenessMs: 60_000 },
  { ...everything, views: [...views].reverse(), outputExpiryMs: 3_600_000, evictionMs: 7_200_000 },
];
