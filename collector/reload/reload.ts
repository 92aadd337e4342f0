import { StreamgaugeError } from '../../proto/error.ts';
import type { CollectorCore } from '../collector-core.ts';
import type { CollectorConfig } from '../config/collector-config.ts';
import { refuseReaderLoops } from '../config/reader-loops.ts';
import { stateRules } from '../durability/state-rules.ts';
import type { FullCollection, PushReader } from '../metric-readers.ts';
import type { OpenPorts, PortServer, PortsChange } from '../open-ports.ts';
import type { PortSpecs } from '../port-specs.ts';
import type { PushReaders } from '../push-readers.ts';
import type { OtlpReceiver } from '../receivers/otlp/otlp-receiver.ts';
import type { Access } from '../security/access.ts';
import { moveOn } from '../sessions/move-on.ts';
import type { CollectorTelemetry } from '../telemetry/collector-telemetry.ts';
import { changeRules } from './change-rules.ts';
import { type ConfigChange, configChanges, refuseFixed } from './config-changes.ts';
import { atFreeMoment } from './free-moment.ts';

/** What a running collector is made of, as far as a reload changes it. */
export interface ReloadedParts {
  readonly core: CollectorCore;
  readonly access: Access;
  readonly telemetry: CollectorTelemetry;
  readonly scraped: FullCollection;
  readonly otlp: OtlpReceiver;
  readonly readers: PushReaders;
  readonly ports: OpenPorts;
  readonly specs: PortSpecs;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export interface Reloaded {
  readonly changes: readonly ConfigChange[];
  /** Resolves when what is not in use any more has been let go of. Never rejects. */
  readonly settled: Promise<void>;
}

/** A moment when nothing is read comes within this, or the reload is given up: readers are asked to read on, and a slow client of `/metrics` gets a minute for its answer. */
const patienceMs = 75_000;
/** Agents that are to be told of other limits are asked so many a second to begin a new stream. */
const agentsPerSecond = 200;

/**
 * Puts another configuration in force while the collector runs. Whatever can fail is built beside what is in use; then, at one moment, everything is swapped. What did
 * not change goes on untouched.
 * @param signal the collector is stopping: the reload is given up
 * @throws StreamgaugeError when the configuration cannot be put in force: `config` with what is wrong, `deadline` when outputs were read all the time; everything is as it was then
 */
export async function reload(
  parts: ReloadedParts,
  before: CollectorConfig,
  after: CollectorConfig,
  signal: AbortSignal,
): Promise<Reloaded> {
  const { core, access, readers, ports, specs } = parts;
  const changes = configChanges(before, after);
  refuseFixed(changes);
  const isAccessOther = changes.some(({ key }) => key.startsWith('auth.'));
  const putAccess = isAccessOther ? access.prepare(after.auth) : () => {};
  const readersChange = readers.change(after);
  let portsChange: PortsChange | undefined;
  let former: { readers: PushReader[]; ports: PortServer[] } | undefined;
  try {
    portsChange = await ports.change([...specs.http(after), specs.grpc(after)]);
    refuseReaderLoops(after.readers, ownListeners(after, portsChange));
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const isSwapped = await atFreeMoment(core, patience, () => {
      if (changeRules(core, stateRules(after))) parts.otlp.rulesChanged();
      former = { readers: readersChange.commit(core), ports: portsChange!.commit() };
      putAccess();
      parts.telemetry.resource = after.resource;
    });
    if (!isSwapped) throw notSwapped(signal);
  } catch (error) {
    await portsChange?.undo();
    await readersChange.undo();
    throw error;
  }
  for (const name of readersChange.withNewFiles)
    changes.push({ key: `meter_provider.readers.${name}.exporter.tls`, before: null, after: 'read again' });
  if (changes.length > 0) core.storage.wantCheckpoint();
  const settled = letGo(parts, changes, former!, after, signal);
  return { changes, settled };
}

/** The ports that a reader must not send to. */
export function ownListeners(
  { grpc, http, admin }: CollectorConfig,
  ports: { portOf(name: string): number },
): { name: string; host: string; port: number }[] {
  return Object.entries({ grpc, http, admin }).map(([name, { host }]) => ({
    name,
    host,
    port: ports.portOf(name),
  }));
}

function notSwapped(signal: AbortSignal): StreamgaugeError {
  if (signal.aborted) return new StreamgaugeError('cancelled', 'the collector is stopping');
  return new StreamgaugeError(
    'deadline',
    `what leaves was being read for ${patienceMs / 1000} s without a pause, as by slow clients of /metrics, and cannot be changed meanwhile; reload again later`,
  );
}

/** What comes after the swap, within the time for a stop. */
async function letGo(
  parts: ReloadedParts,
  changes: readonly ConfigChange[],
  former: { readers: readonly PushReader[]; ports: readonly PortServer[] },
  { shutdownTimeoutMs }: CollectorConfig,
  signal: AbortSignal,
): Promise<void> {
  const { core, telemetry, scraped, readers, log } = parts;
  const isOf = (...starts: string[]) => changes.some(({ key }) => starts.some((one) => key.startsWith(one)));
  const tasks: Promise<unknown>[] = former.ports.map((port) => parts.ports.release(port, shutdownTimeoutMs));
  for (const reader of former.readers)
    tasks.push(releaseReader(reader, parts, signal.aborted ? 0 : shutdownTimeoutMs));
  if (isOf('resource.'))
    for (const collection of [scraped, ...readers.all.map((reader) => reader.collection)])
      tasks.push(collection.renewOwn(telemetry));
  // A stream keeps the limits that it was told of at its beginning.
  if (isOf(...streamLimits)) tasks.push(moveOn([...core.sessions], agentsPerSecond, signal));
  for (const { status, reason } of (await Promise.allSettled(tasks)) as PromiseRejectedResult[])
    if (status === 'rejected')
      log.warn(
        { err: reason },
        'something that is not configured any more could not be ended; please report this',
      );
}

const streamLimits = ['message_bytes', 'series', 'attributes', 'attribute_bytes'].map(
  (limit) => `grpc.limits.max_${limit}`,
);

async function releaseReader(
  former: PushReader,
  { core, readers, log }: ReloadedParts,
  deadlineMs: number,
): Promise<void> {
  const never = new AbortController().signal;
  const { delivered, pointsDelivered, pointsUndelivered, error } = await readers.release(
    former,
    core,
    deadlineMs,
    (run) => atFreeMoment(core, never, run),
  );
  const fields = { reader: former.reader.name, pointsDelivered, pointsUndelivered, error };
  if (delivered) log.info(fields, 'a reader is not configured any more; its backend has everything');
  else log.warn(fields, 'a reader is not configured any more, and its backend does not have everything');
}
