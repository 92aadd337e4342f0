import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

/** The section that outputs are in: docs/checkpoint.md has its format. */
export const outputsSection = { type: 64, version: 2 } as const;

/** What a snapshot of the outputs is made of. */
export interface OutputsMoment {
  /** Where readers stand, when points without series are looked for next, and what is wrong with what leaves. */
  readonly writeHead: (writer: SnapshotWriter) => void;
  readonly tree: TreeSnapshot;
  /** Called once, at the end. */
  readonly onEnd: () => void;
}

/**
 * The outputs as they were at one moment. It is written while they go on; sweeps wait until it is written, or closed. Taking it is quick, whatever
 * there is: what changes before it is written is copied just before it does.
 */
export class OutputsSnapshot {
  readonly #moment: OutputsMoment;
  #isOpen = true;

  constructor(moment: OutputsMoment) {
    this.#moment = moment;
  }

  /** Its one section. To be called once; closes the snapshot when it has been walked, or is left. */
  *chunks(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    try {
      writer.begin(outputsSection.type, 0, outputsSection.version);
      this.#moment.writeHead(writer);
      if (writer.isFull) yield writer.cut();
      yield* this.#moment.tree.write(writer);
      yield writer.end();
    } finally {
      this.close();
    }
  }

  /** Lets go of everything. For a snapshot that is not walked; may be repeated. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#moment.onEnd();
  }
}
