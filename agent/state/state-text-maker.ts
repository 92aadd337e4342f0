import type { Position } from '../../proto/messages/position.ts';
import { definitionsToJson, type SavedSeries } from './definition-tables.ts';
import type { EpochFalls } from './epoch-falls.ts';
import type { FinalState, FinalStates } from './final-states.ts';
import type { NotCounted } from './not-counted.ts';
import type { AgentSeries } from './sampling-group.ts';
import type { KeptCounter, SeriesLives } from './series-lives.ts';
import { stateText } from './state-content.ts';

/** What is written down. */
export interface KeptState {
  readonly lives: SeriesLives;
  readonly finals: FinalStates;
  readonly falls: EpochFalls;
  readonly notCounted: NotCounted;
  readonly position: Position | undefined;
  readonly lastReport: number;
  readonly acknowledgedReport: number;
  readonly isSeen: boolean;
}

/** What a state file is to hold, and what is then in it. */
export interface WrittenState {
  /** Of the final states. */
  readonly version: number;
  readonly isSeen: boolean;
  /** See stateText. */
  readonly text: string;
}

/** Makes the text of a state. What changes seldom is made again only when it has changed. */
export class StateTextMaker {
  readonly #memberId: string;
  readonly #bootOffsetMs: number;
  #definitions = { of: '', text: '' };
  #falls = { of: -1, text: '' };
  #notCounted = { of: -1, text: '' };

  /** @param bootOffsetMs what the clock since the boot is ahead of the process's */
  constructor(memberId: string, bootOffsetMs: number) {
    this.#memberId = memberId;
    this.#bootOffsetMs = bootOffsetMs;
  }

  /** @param delivered leaves out the counters that a collector knows all of */
  make({ lives, finals, falls, notCounted, position, isSeen }: KeptState, delivered: boolean): WrittenState {
    const { version } = finals;
    const kept = [...lives.kept].filter(
      ({ series, group, cell, known }) =>
        group.seriesAt(cell) === series && Number.isFinite(group.values[cell]) && !(delivered && known),
    );
    const pending = [...finals.unacknowledged()];
    const of = `${lives.version} ${finals.version} ${kept.length} ${delivered}`;
    if (this.#definitions.of !== of)
      this.#definitions = { of, text: this.#definitionsText([...kept, ...pending]) };
    if (this.#falls.of !== falls.version) {
      const lines = [...falls.all].map(({ series, base, suffix }) => [series, base, suffix]);
      this.#falls = { of: falls.version, text: JSON.stringify(lines) };
    }
    if (this.#notCounted.of !== notCounted.version) {
      const lines = notCounted.lines.map(({ metric, cause, series, amount }) => [
        metric,
        cause,
        series,
        amount,
      ]);
      this.#notCounted = { of: notCounted.version, text: JSON.stringify(lines) };
    }
    const text = stateText({
      memberId: this.#memberId,
      position,
      falls: this.#falls.text,
      notCounted: this.#notCounted.text,
      definitions: this.#definitions.text,
      counting: kept.map(({ key, group, cell, seen, known, refused }) => ({
        value: group.values[cell]!,
        seen: seen || (isSeen && !finals.hasSeveral(key)),
        known,
        refused,
      })),
      finals: pending.map(({ value, seen, known }) => ({ value, seen, known, refused: false })),
    });
    return { version, isSeen, text };
  }

  #definitionsText(counters: readonly (KeptCounter | FinalState)[]): string {
    return JSON.stringify(definitionsToJson(counters.map(({ series }) => this.#saved(series))));
  }

  #saved(series: AgentSeries): SavedSeries {
    const beganMs = series.epoch?.beganMs;
    return { series, beganBootMs: beganMs === undefined ? undefined : beganMs + this.#bootOffsetMs };
  }
}
