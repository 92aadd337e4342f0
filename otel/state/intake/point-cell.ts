import type { KindState } from '../kind-state.ts';

/**
 * One kind of metric, as the rules over time see it: the value of the point at hand, which was given to the cell before, and how it stands
 * to and enters the kind's state at a slot. A cell is used again for each point.
 */
export interface PointCell {
  readonly state: KindState;
  /**
   * The point's value against the held one: 0 when all of it is equal, above 0 when it holds all that is held and more, else below 0. For
   * values that replace one another: 0 or not.
   */
  order(slot: number): number;
  /** Takes the first value of an epoch. Gives what was set aside as a baseline. */
  settle(slot: number): number;
  /** Puts the value in place of the held one. */
  replace(slot: number): void;
  /** Adds the value to the held one. Gives false, and adds nothing, where the sum would not be finite. */
  add(slot: number): boolean;
  /** A number that is equal for equal values, and hardly for others. */
  fingerprint(): number;
}

/** Whether `column[at, at + width)` is within the column. */
export function isRange({ length }: Float64Array, at: number, width: number): boolean {
  return at >= 0 && width >= 0 && at + width <= length;
}
