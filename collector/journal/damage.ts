/**
 * - `torn`: the last commit was cut off by a kill or a power cut before it was acknowledged (as far as can be told), and was removed.
 * - `corrupt`: bytes are not those that were written.
 * - `missing`: a file is not there.
 * - `foreign`: a file of another data directory.
 * - `unusable`: a good file behind something that is missing, which cannot be applied without it; or a good record that cannot be applied, with all behind it.
 */
export type DamageKind = 'torn' | 'corrupt' | 'missing' | 'foreign' | 'unusable';

/** Something that is not as it was written, and what became of it. */
export interface Damage {
  readonly kind: DamageKind;
  /** The file, relative to the directory. */
  readonly file: string;
  /** In words: what is wrong, and where. */
  readonly what: string;
  /** How many bytes of the file cannot be used. */
  readonly bytes: number;
  /** The journal's position from which records are not there, where it concerns records. */
  readonly position: number | undefined;
  /** Whether it proves that something acknowledged is gone. */
  readonly losesAcknowledged: boolean;
  /** What is done about it: cut the file at this offset, or move it, or nothing. */
  readonly remedy: Remedy;
}

export type Remedy =
  | { readonly action: 'none' }
  /** What is behind the offset is copied to the folder `damaged` first if `keeps`, then cut off. */
  | { readonly action: 'cut'; readonly offset: number; readonly keeps: boolean }
  /** The file moves to the folder `damaged`. */
  | { readonly action: 'move' }
  /** The file is copied to the folder `damaged`, and then written anew from what is known. */
  | { readonly action: 'replace' };
