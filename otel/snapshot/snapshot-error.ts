import { StreamgaugeError } from '../../proto/error.ts';

/** A snapshot that cannot be loaded: what was found where, and what is allowed. What was loaded of it so far is of no use. */
export class SnapshotError extends StreamgaugeError {
  override readonly name = 'SnapshotError';
  readonly type: number;
  readonly key: number;

  /** @param at byte within the chunk's bytes */
  constructor(message: string, where: { type: number; key: number; chunk?: number; at?: number }) {
    const { type, key, chunk, at } = where;
    const place = chunk === undefined ? '' : `, chunk ${chunk}${at === undefined ? '' : `, byte ${at}`}`;
    super('invalid_data', `snapshot section ${type}/${key}${place}: ${message}`);
    this.type = type;
    this.key = key;
  }
}
