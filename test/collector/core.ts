import type { StreamLimits } from '../../collector/config/collector-config.ts';
import { type OutputProblem, OutputProblems } from '../../collector/outputs/output-problems.ts';
import { Outputs } from '../../collector/outputs/outputs.ts';
import { SessionCounters } from '../../collector/sessions/session-counters.ts';
import { memoryJournal } from '../../collector/sessions/session-journal.ts';
import { Sessions } from '../../collector/sessions/sessions.ts';
import { compileViews, longestStalenessMs } from '../../collector/views/compile-views.ts';
import type { ViewConfig } from '../../otel/config/metric-views.ts';
import type { Attributes } from '../../otel/model/attributes.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import { FakeStream } from '../model/fake-agent.ts';
import { type ModelPoint, readCollection } from '../model/read-collection.ts';

export const birthUs = 1_700_000_000_000_000;

const roomy: StreamLimits = {
  maxMessageBytes: 1024 * 1024,
  maxSeries: 1000,
  maxAttributes: 8,
  maxAttributeBytes: 64,
  maxStreams: 100,
  maxMembers: 100,
};

/** The collector's core without a network, with a clock that a test sets. */
export class Core {
  nowUs = birthUs;
  readonly counters = new SessionCounters();
  readonly outputs: Outputs;
  readonly sessions: Sessions;
  /** What the outputs told of, once each. */
  readonly told: (OutputProblem & { message: string })[] = [];
  readonly problems = new OutputProblems((problem, message) => void this.told.push({ ...problem, message }));
  /** In force for whoever comes next: a test may change them. */
  readonly limits: { -readonly [Name in keyof StreamLimits]: StreamLimits[Name] };
  readonly logged: { level: string; fields: object; message: string }[] = [];

  constructor(options: { views?: readonly ViewConfig[]; limits?: Partial<StreamLimits> } = {}) {
    const nowUs = () => this.nowUs;
    this.limits = { ...roomy, ...options.limits };
    this.outputs = new Outputs({
      nowUs,
      plansFor: compileViews(options.views ?? [], 300_000),
      writerId: 'writer',
      outputExpiryMs: 86_400_000,
      problems: this.problems,
    });
    this.sessions = new Sessions({
      store: this.outputs.store,
      counters: this.counters,
      limits: this.limits,
      journal: memoryJournal(Buffer.alloc(16), Buffer.alloc(8)),
      stalenessMs: longestStalenessMs(options.views ?? [], 300_000),
      evictionMs: 86_400_000,
      nowUs,
      log: (level, fields, message) => void this.logged.push({ level, fields, message }),
    });
  }

  get store(): Outputs['store'] {
    return this.outputs.store;
  }

  stream(): FakeStream {
    return new FakeStream((peer) => this.sessions.open(peer));
  }

  /** What a scrape sees now: by output name, the points without their identity. */
  scrape(): Map<string, ModelPoint[]> {
    const found = new Map<string, ModelPoint[]>();
    for (const [key, points] of readCollection(this.outputs.collect(this.outputs.passerBy(), this.nowUs))) {
      const name = key.slice(0, key.indexOf(' '));
      found.set(name, [...(found.get(name) ?? []), ...points]);
    }
    return found;
  }

  /** The values of one output, ascending. */
  values(name: string): unknown[] {
    return (this.scrape().get(name) ?? []).map(({ value }) => value).sort();
  }

  /** What leaves: each stream's metric with its resource's attributes. */
  streams(): { metric: MetricDescription; resource: Attributes }[] {
    const { resources } = this.outputs.collect(this.outputs.passerBy(), this.nowUs);
    return [...resources].flatMap(({ resource, scopes }) =>
      scopes.flatMap(({ streams }) =>
        streams.map(({ metric }) => ({ metric, resource: resource.attributes })),
      ),
    );
  }

  wait(seconds: number): void {
    this.nowUs += seconds * 1_000_000;
    this.sessions.tick();
    this.outputs.sweep();
  }
}
