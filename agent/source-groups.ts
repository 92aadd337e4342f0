import { StreamgaugeError } from '../proto/error.ts';
import type { SampledGroup } from './sampler.ts';
import type { Source } from './sources/source.ts';
import { SamplingGroup } from './state/sampling-group.ts';
import type { SeriesLives } from './state/series-lives.ts';

/** A source of an embedder's own. */
export interface SourceDefinition {
  /** Milliseconds between collections, a whole number from 10 to 86,400,000. Sources with one interval are sampled together. */
  readonly intervalMs: number;
  /** Makes the source. It defines its series in the group and sets their values in `collect`. */
  make(group: SamplingGroup): Source;
}

const minIntervalMs = 10;
const maxIntervalMs = 86_400_000;

/** One sampling group for each interval, with the sources that fill it. */
export class SourceGroups {
  readonly #incarnation: string;
  readonly #lives: SeriesLives;
  readonly #byInterval = new Map<number, SampledGroup & { readonly sources: Source[] }>();

  /** @param incarnation tells this run of the agent from others, in the tokens of new epochs */
  constructor(incarnation: string, lives: SeriesLives) {
    this.#incarnation = incarnation;
    this.#lives = lives;
  }

  get groups(): Iterable<SampledGroup> {
    return this.#byInterval.values();
  }

  /**
   * Makes a source and adds it to the group of its interval.
   * @returns the group when it is a new one
   * @throws StreamgaugeError `config` for an interval that is not allowed
   */
  add({ intervalMs, make }: SourceDefinition): SampledGroup | undefined {
    const isNew = !this.#byInterval.has(intervalMs);
    const sampled = this.#groupOf(intervalMs);
    sampled.sources.push(make(sampled.group));
    return isNew ? sampled : undefined;
  }

  /** Adds sources that ask for their groups themselves: one call of `groupFor` for each source, in the order of the result. */
  addAll(make: (groupFor: (intervalMs: number) => SamplingGroup) => readonly Source[]): void {
    const asked: SampledGroup[] = [];
    const sources = make((intervalMs) => {
      const sampled = this.#groupOf(intervalMs);
      asked.push(sampled);
      return sampled.group;
    });
    if (sources.length !== asked.length)
      throw new StreamgaugeError('bug', `${sources.length} sources asked for ${asked.length} groups`);
    for (const [i, source] of sources.entries()) asked[i].sources.push(source);
  }

  #groupOf(intervalMs: number): SampledGroup {
    let sampled = this.#byInterval.get(intervalMs);
    if (sampled === undefined) {
      if (!Number.isInteger(intervalMs) || intervalMs < minIntervalMs || intervalMs > maxIntervalMs)
        throw new StreamgaugeError(
          'config',
          `a source's interval is ${intervalMs} ms; whole numbers from ${minIntervalMs} to ${maxIntervalMs} are allowed`,
        );
      const group = new SamplingGroup(this.#byInterval.size, intervalMs, this.#incarnation, this.#lives);
      sampled = { group, sources: [] };
      this.#byInterval.set(intervalMs, sampled);
    }
    return sampled;
  }
}
