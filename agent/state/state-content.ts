import { InvalidDataError } from '../../proto/error.ts';
import type { Position } from '../../proto/messages/position.ts';
import { listOf } from './attribute-json.ts';
import { definitionsFromJson, numberOf, objectOf, type SavedSeries, textOf } from './definition-tables.ts';

/** A run of the agent, as it says itself. */
export interface SavedRun {
  /** 32 hexadecimal digits. */
  readonly incarnation: string;
  /** Empty: not known. */
  readonly bootId: string;
  readonly pid: number;
  /** When the process began, in ticks since the boot; 0: not known. */
  readonly startTicks: number;
  /** The last report that it sent, and the highest that was acknowledged; 0: none. */
  readonly lastReport: number;
  readonly acknowledged: number;
  /** When this was written, milliseconds since the Unix epoch. */
  readonly writtenMs: number;
}

/** A counter that only the agent has, with its value. */
export interface SavedCounter extends SavedSeries {
  readonly value: number;
  /** A collector may have been told of its epoch. */
  readonly seen: boolean;
  /** A collector has acknowledged a report with it. */
  readonly known: boolean;
  /** The collector refused it, so what it counted is told to nobody. */
  readonly refused: boolean;
}

/** The life that a series has beside the one that its source tells. */
export interface SavedFall {
  /** See seriesKey. */
  readonly series: string;
  /** The token that its source gave. */
  readonly base: string;
  /** What stands behind it. */
  readonly suffix: string;
}

/** What was counted and is told to nobody. */
export interface NotCountedLine {
  readonly metric: string;
  readonly cause: 'refused' | 'dropped';
  readonly series: number;
  readonly amount: number;
}

/** All that a state file holds. */
export interface StateContent {
  readonly memberId: string;
  readonly run: SavedRun;
  /** Of the last Ack. */
  readonly position: Position | undefined;
  readonly falls: readonly SavedFall[];
  readonly notCounted: readonly NotCountedLine[];
  /** Counters of the run. */
  readonly counting: readonly SavedCounter[];
  /** Of lives that have ended, for each series in their order. */
  readonly finals: readonly SavedCounter[];
}

/** What changes at every writing; all else is text that is made when it changes. */
export interface StateTexts {
  readonly memberId: string;
  readonly position: Position | undefined;
  readonly falls: string;
  readonly notCounted: string;
  /** Of all counters, those of the run first. */
  readonly definitions: string;
  readonly counting: readonly Omit<SavedCounter, keyof SavedSeries>[];
  readonly finals: readonly Omit<SavedCounter, keyof SavedSeries>[];
}

/** The body of a state file but its run: JSON without the first brace. Two that are equal hold the same. */
export function stateText(state: StateTexts): string {
  const { memberId, position, falls, notCounted, definitions, counting, finals } = state;
  const place =
    position === undefined
      ? null
      : {
          directoryId: Buffer.from(position.directoryId).toString('hex'),
          term: Buffer.from(position.term).toString('hex'),
          journalPosition: position.journalPosition,
        };
  const head = `"memberId":${JSON.stringify(memberId)},"position":${JSON.stringify(place)}`;
  const values = `"counting":[${counting.map(cellText).join()}],"finals":[${finals.map(cellText).join()}]`;
  return `${head},"falls":${falls},"notCounted":${notCounted},"definitions":${definitions},${values}}\n`;
}

/** The whole body. */
export function bodyOf(run: SavedRun, state: string): string {
  return `{"run":${JSON.stringify(run)},${state}`;
}

const cellText = ({ value, seen, known, refused }: Omit<SavedCounter, keyof SavedSeries>): string =>
  `[${value},${(seen ? 1 : 0) | (known ? 2 : 0) | (refused ? 4 : 0)}]`;

/** @throws InvalidDataError for a body that bodyOf does not make */
export function stateFromBody(body: string): StateContent {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new InvalidDataError('it is no JSON', { cause });
  }
  const { memberId, run, position, falls, notCounted, definitions, counting, finals } = objectOf(json);
  const series = definitionsFromJson(definitions);
  const cells = [...listOf(counting), ...listOf(finals)];
  if (cells.length !== series.length)
    throw new InvalidDataError(`it has ${series.length} series with ${cells.length} values`);
  const counters = series.map((one, i): SavedCounter => ({ ...one, ...cellFrom(cells[i]) }));
  return {
    memberId: textOf(memberId),
    run: runFrom(run),
    position: position === null ? undefined : positionFrom(position),
    falls: listOf(falls).map((fall) => {
      const [key, base, suffix] = listOf(fall);
      return { series: textOf(key), base: textOf(base), suffix: textOf(suffix) };
    }),
    notCounted: listOf(notCounted).map((line) => {
      const [metric, cause, howMany, amount] = listOf(line);
      if (cause !== 'refused' && cause !== 'dropped') throw new InvalidDataError('a cause is not known');
      return { metric: textOf(metric), cause, series: numberOf(howMany), amount: numberOf(amount) };
    }),
    counting: counters.slice(0, listOf(counting).length),
    finals: counters.slice(listOf(counting).length),
  };
}

function cellFrom(json: unknown): Omit<SavedCounter, keyof SavedSeries> {
  const [value, flags] = listOf(json);
  const bits = numberOf(flags);
  return {
    value: numberOf(value),
    seen: (bits & 1) !== 0,
    known: (bits & 2) !== 0,
    refused: (bits & 4) !== 0,
  };
}

function runFrom(json: unknown): SavedRun {
  const run = objectOf(json);
  return {
    incarnation: hexOf(run.incarnation, 16).toString('hex'),
    bootId: textOf(run.bootId),
    pid: numberOf(run.pid),
    startTicks: numberOf(run.startTicks),
    lastReport: numberOf(run.lastReport),
    acknowledged: numberOf(run.acknowledged),
    writtenMs: numberOf(run.writtenMs),
  };
}

function positionFrom(json: unknown): Position {
  const { directoryId, term, journalPosition } = objectOf(json);
  const place = numberOf(journalPosition);
  if (!Number.isSafeInteger(place)) throw new InvalidDataError(`${place} is no journal position`);
  return { directoryId: hexOf(directoryId, 16), term: hexOf(term, 8), journalPosition: place };
}

function hexOf(json: unknown, bytes: number): Buffer {
  const text = textOf(json);
  if (!/^[0-9a-f]*$/.test(text) || text.length !== 2 * bytes)
    throw new InvalidDataError(`${JSON.stringify(text.slice(0, 64))} is not ${bytes} bytes in hexadecimal`);
  return Buffer.from(text, 'hex');
}
