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
  readonly #byInterval = new Map<number, SampledGroup>();

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
   * @returns the group when it had no source
   * @throws StreamgaugeError `config` for an interval that is not allowed
   */
  add({ intervalMs, make }: SourceDefinition): SampledGroup | undefined {
    const sampled = this.#sampledAt(intervalMs);
    const source = make(sampled.group);
    const isIdle = sampled.sources.length === 0;
    sampled.sources.push(source);
    return isIdle ? sampled : undefined;
  }

  /** The group of an interval, made when it is new. @throws as `add` */
  groupOf(intervalMs: number): SamplingGroup {
    return this.#sampledAt(intervalMs).group;
  }

  /** Takes a source out. Its group stays, for what it has retired is still to be told. @returns the group when it has no source now */
  remove(source: Source): SamplingGroup | undefined {
    for (const { group, sources } of this.#byInterval.values()) {
      const at = sources.indexOf(source);
      if (at < 0) continue;
      sources.splice(at, 1);
      return sources.length === 0 ? group : undefined;
    }
    return undefined;
  }

  #sampledAt(intervalMs: number): SampledGroup {
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
