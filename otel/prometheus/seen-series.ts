import type { Family, FamilyPart } from './families.ts';

/** The labels that were written of a family, for each of its resources and scopes. */
export class SeenSeries {
  readonly #single: boolean;
  readonly #byLabels = new Map<string, LabelTexts>();

  constructor(family: Family) {
    this.#single = family.parts.length === 1;
  }

  of(part: FamilyPart): LabelTexts {
    if (this.#single) return new LabelTexts();
    let known = this.#byLabels.get(part.labels);
    if (known === undefined) {
      known = new LabelTexts();
      this.#byLabels.set(part.labels, known);
    }
    return known;
  }
}

const setBits = 8;
const splitAt = 4096;

/** A set of texts. A large one is many small ones: a set of a million that grows stops everything for tens of milliseconds. */
export class LabelTexts {
  #sets: Set<string>[] = [new Set()];

  /** Gives false when the text was there. */
  add(text: string): boolean {
    const set = this.#sets.length === 1 ? this.#sets[0]! : this.#sets[placeOf(text)]!;
    const { size } = set;
    set.add(text);
    if (set.size === size) return false;
    if (this.#sets.length === 1 && size >= splitAt) this.#split(set);
    return true;
  }

  #split(all: Set<string>): void {
    this.#sets = Array.from({ length: 1 << setBits }, () => new Set<string>());
    for (const text of all) this.#sets[placeOf(text)]!.add(text);
  }
}

function placeOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 11)) & ((1 << setBits) - 1);
}
