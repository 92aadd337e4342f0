import assert from 'node:assert/strict';
import type { ReaderCursor } from '../../collector/outputs/reader-cursor.ts';
import { auditLedger } from '../../otel/state/audit-ledger.ts';
import type { Collection } from '../../otel/state/point-batch.ts';
import { initialSeries } from './catalogue.ts';
import { FleetAgent } from './fleet-agent.ts';
import { FleetSender } from './fleet-sender.ts';
import { FleetTruth } from './fleet-truth.ts';
import { birthUs, type FleetWorld } from './fleet-world.ts';
import type { ModelReader } from './model-series.ts';
import { readPoints } from './read-points.ts';
import { differenceOf, type ShownPoints } from './shown-points.ts';
import { members, readers, type Step, senders } from './steps.ts';

/** The writer of merged outputs. */
const modelWriter = 'writer';

interface Reader {
  readonly name: string;
  cursor: ReaderCursor;
  readonly model: ModelReader;
}

/** Agents and senders of points, the collector's core and the model of it, side by side: each step is taken by both, and what they show is compared. */
export class Fleet {
  readonly #world: FleetWorld;
  readonly #truth = new FleetTruth();
  readonly #agents: readonly FleetAgent[];
  readonly #senders: readonly FleetSender[];
  /** Those that collect now and then. */
  readonly #readers: readonly Reader[];
  /** One that collects after every step. */
  readonly #eager: Reader;

  constructor(world: FleetWorld) {
    this.#world = world;
    this.#readers = readers.map((temporality, i) => this.#addReader(temporality, `reader ${i}`));
    this.#eager = this.#addReader('delta', 'eager');
    const places = (count: number) => Array.from({ length: count }, (_, place) => place);
    this.#agents = places(members).map(
      (place) => new FleetAgent('abc'[place], place, this.#world, this.#truth),
    );
    this.#senders = places(senders).map((place) => new FleetSender(place, this.#world));
  }

  #addReader(temporality: ModelReader['temporality'], name: string): Reader {
    const { model } = this.#world;
    const reader = { temporality, stays: true, collectedUs: birthUs, deliveredUs: birthUs };
    model.members.readers.push(reader);
    return { name, cursor: this.#world.addReader(temporality, name), model: reader };
  }

  /** An agent connects, and defines and reports all it has. */
  join(member: number): void {
    this.take({ do: 'connect', member, isNewRun: true, region: 'r1', clockUs: 0 });
    this.take({ do: 'define', member, of: initialSeries, isTwice: false });
    for (const group of [0, 1])
      this.take({ do: 'report', member, group, seed: 1 + member, without: -1, skipped: 0 });
  }

  take(step: Step): void {
    const world = this.#world;
    world.nowUs += 1_000_000;
    switch (step.do) {
      case 'wait':
        world.wait(step.seconds);
        break;
      case 'collect':
        this.#collect(this.#readers[step.reader], step.isDelivered);
        break;
      case 'limit':
        world.limitSeries(step.maxSeries);
        break;
      case 'point':
        this.#senders[step.sender].send(step);
        break;
      case 'stop sending':
        this.#senders[step.sender].stop(step.series, step.reason);
        break;
      default:
        this.#agents[step.member].take(step);
    }
    this.#compare();
  }

  /** The collector goes and comes back; then no agent has a stream. */
  async restart(comeBack: () => Promise<void>): Promise<void> {
    this.#world.nowUs += 1_000_000;
    for (const agent of this.#agents) agent.disconnect();
    await comeBack();
    for (const reader of [...this.#readers, this.#eager])
      reader.cursor = this.#world.addReader(reader.model.temporality, reader.name);
    this.#compare();
  }

  /** Everything leaves and is swept: nothing is held any more. */
  end(): void {
    for (const agent of this.#agents) agent.disconnect();
    this.take({ do: 'wait', seconds: 86_401 });
    for (let reader = 0; reader < this.#readers.length; reader++)
      this.take({ do: 'collect', reader, isDelivered: true });
    this.take({ do: 'wait', seconds: 5 });
    this.take({ do: 'wait', seconds: 5 });
    const { outputs, intake } = this.#world;
    const { store } = outputs;
    const { definitions, resources, epochs: tokens } = store.references;
    assert.deepEqual(
      {
        series: store.seriesCount,
        ended: store.endedCount,
        members: store.members.size,
        clocks: store.clocks.size,
        handles: intake.size,
        definitions: definitions.size,
        resources: resources.size,
        epochs: tokens.size,
      },
      { series: 0, ended: 0, members: 0, clocks: 0, handles: 0, definitions: 0, resources: 0, epochs: 0 },
    );
  }

  stop(): void {
    this.#world.sessions.stop();
  }

  #collect({ cursor, model: reader }: Reader, isDelivered: boolean): void {
    const { outputs, model, nowUs } = this.#world;
    equal(this.#read(outputs.collect(cursor, nowUs)), model.members.collect(reader, nowUs));
    if (!isDelivered) return;
    outputs.delivered(cursor);
    reader.deliveredUs = nowUs;
  }

  #read(collection: Collection): ShownPoints {
    const found = readPoints(collection);
    const { writerId } = this.#world;
    if (writerId === modelWriter) return found;
    const [own, named] = [writerId, modelWriter].map((id) => `${id.length}:${id}`) as [string, string];
    return new Map([...found].map(([name, points]) => [name.replace(own, named), points]));
  }

  /** What a scrape sees and a delta reader is given, after every step, and what is counted. */
  #compare(): void {
    const { outputs, model, counters, nowUs } = this.#world;
    const found = this.#read(outputs.collect(outputs.passerBy(), nowUs));
    const scrape: ModelReader = {
      temporality: 'cumulative',
      stays: false,
      collectedUs: birthUs,
      deliveredUs: Number.MAX_SAFE_INTEGER,
    };
    equal(found, model.members.collect(scrape, nowUs));
    this.#truth.neverFalls(found);
    this.#collect(this.#eager, true);
    const { epoch_fell, not_finite, negative } = counters.refusedPoints;
    this.#truth.conserves(counters.baselines + epoch_fell + not_finite + negative === 0);
    this.#balances();
    assert.deepEqual(counters.refusedPoints, model.streams.rejected);
    assert.deepEqual(counters.refusedSeries, model.streams.refused);
    assert.equal(counters.baselines, model.streams.baselines);
    assert.equal(outputs.overflowed, model.members.outputs.overflowed);
    assert.equal(outputs.store.seriesCount, model.members.series.size);
    assert.equal(outputs.store.members.size, model.members.byId.size);
    assert.equal(outputs.store.horizonUs, model.members.horizonUs);
  }

  /** The book says what the model counted and set aside, and holds against the columns. */
  #balances(): void {
    const { outputs, model } = this.#world;
    let lines = 0;
    for (const line of auditLedger(outputs.store)) {
      const { member, metric, counted, baseline } = line;
      assert.ok(line.isBalanced, `${member} ${metric}: ${JSON.stringify(line)}`);
      if (counted === 0 && baseline.amount === 0) continue;
      lines++;
      const booked = model.members.booked.get(`${member} ${metric}`);
      if (booked?.counted !== counted || booked.baseline !== baseline.amount)
        assert.deepEqual({ counted, baseline: baseline.amount }, booked, `of ${metric} by ${member}`);
    }
    let expected = 0;
    for (const { counted, baseline } of model.members.booked.values())
      if (counted !== 0 || baseline !== 0) expected++;
    assert.equal(lines, expected);
  }
}

function equal(found: ShownPoints, expected: ShownPoints): void {
  const difference = differenceOf(found, expected);
  if (difference !== undefined) assert.deepEqual(difference.found, difference.expected);
}
