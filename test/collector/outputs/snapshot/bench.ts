import { attributes } from '../../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../../otel/model/metric.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { birthUs } from '../../core.ts';
import { chunksOf, dump, Side } from './side.ts';

const scope = { name: '', version: '', attributes: attributes({}), schemaUrl: '' };

/** A side with what a test does to it. */
export class Bench {
  nowUs = birthUs;
  side: Side;
  readonly #views: ConstructorParameters<typeof Side>[1];
  #holders = 0;

  constructor(views: ConstructorParameters<typeof Side>[1]) {
    this.#views = views;
    this.side = this.fresh().addReaders();
  }

  fresh(views = this.#views): Side {
    return new Side(() => this.nowUs, views);
  }

  define(id: string, m: MetricDescription, own: Record<string, string>, host = id): number {
    const { store } = this.side.outputs;
    const resource = { attributes: attributes({ host }), schemaUrl: '' };
    const member = store.members.get(id) ?? store.join(id, resource, this.nowUs);
    const slot = store.define(
      member,
      {
        scope,
        metric: m,
        attributes: attributes(own),
        resource: undefined,
        epoch: m.kind === 'gauge' ? '' : id,
        beganAtUs: this.nowUs + 1,
        startTimeUs: this.nowUs,
        clock: store.clocks.of(member, 0),
        holder: ++this.#holders,
      },
      this.nowUs,
    );
    if (typeof slot === 'string') throw new Error(slot);
    return slot;
  }

  counts(slot: number, value: number): void {
    const { store } = this.side.outputs;
    store.sums.settle(slot, value);
    store.appear(store.sums, slot);
  }

  end(slot: number): void {
    const { store } = this.side.outputs;
    store.end(store.sums, slot, this.nowUs);
  }

  wait(seconds: number): void {
    this.nowUs += seconds * 1e6;
    this.side.outputs.sweep();
  }

  save(): SnapshotChunk[] {
    this.side.snapshot.take();
    return chunksOf(this.side);
  }

  /** Goes on with a side that is made of what there is. */
  restart(views = this.#views): void {
    this.side = this.fresh(views).load(this.save()).addReaders();
  }

  collect(reader = 0): string[] {
    const { outputs, cursors } = this.side;
    outputs.delivered(cursors[reader]);
    const found = dump(outputs.collect(cursors[reader], this.nowUs));
    outputs.delivered(cursors[reader]);
    return found;
  }
}
