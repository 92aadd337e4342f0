// Loaded before a collector that is to be killed at one place: STREAMGAUGE_TEST_KILL_AT is PLACE:COUNT, the COUNTth time that it comes by after some
// reports were merged.
import { CommitWaiters } from '../../../collector/journal/commit-waiters.ts';
import { NodeStorage } from '../../../collector/journal/node-storage.ts';
import { SegmentWriter } from '../../../collector/journal/segment-writer.ts';
import { Session } from '../../../collector/sessions/session.ts';
import { DeltaIntervals } from '../../../otel/export/delta-intervals.ts';
import { RetryingSender } from '../../../otel/export/retrying-sender.ts';
import { isReport } from '../../../proto/report/read-report.ts';

export const places = [
  'merged',
  'writing',
  'committed',
  'acknowledged',
  'encoded',
  'answered',
  'recorded',
  'checkpoint begun',
  'checkpoint written',
  'checkpoint named',
  'checkpoint covering',
] as const;
export type Place = (typeof places)[number];

const [place, count] = (process.env.STREAMGAUGE_TEST_KILL_AT ?? ':').split(':') as [Place, string];
if (!places.includes(place)) throw new Error(`STREAMGAUGE_TEST_KILL_AT names no place: ${place}`);
let left = Number(count);
let reports = 0;

function isTime(here: Place): boolean {
  return here === place && reports >= 20 && --left <= 0;
}

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
}

function passes(here: Place): void {
  if (isTime(here)) kill();
}

/** Nothing is committed from here on, and streams and readers go on for a while: whoever does not wait for commits, says too much. */
let isStalled = false;
function stall(): void {
  if (isStalled) return;
  isStalled = true;
  setTimeout(kill, stallMs);
}
const stallMs = 250;
const never = new Promise<never>(() => {});

const { receive } = Session.prototype;
Session.prototype.receive = function (this: Session, bytes: Buffer): void {
  receive.call(this, bytes);
  if (!isReport(bytes)) return;
  reports++;
  if (isTime('merged')) stall();
};

const { append } = SegmentWriter.prototype;
SegmentWriter.prototype.append = async function (this: SegmentWriter, frames, bytes, syncs): Promise<void> {
  if (isStalled) return await never;
  if (!isTime('writing')) return await append.call(this, frames, bytes, syncs);
  // A part of it reaches the disk.
  const [first] = frames;
  await append.call(this, [first!.subarray(0, first!.length / 2)], bytes, syncs);
  stall();
  return await never;
};

const { release } = CommitWaiters.prototype;
CommitWaiters.prototype.release = function (this: CommitWaiters, position, onError): void {
  passes('committed');
  release.call(this, position, onError);
  passes('acknowledged');
};

const { send } = RetryingSender.prototype;
RetryingSender.prototype.send = function (this: RetryingSender, bytes, signal, patience) {
  // Not the collector's own metrics.
  if (Buffer.from(bytes).includes('fleet.')) passes('encoded');
  return send.call(this, bytes, signal, patience);
};

const { answered } = DeltaIntervals.prototype;
DeltaIntervals.prototype.answered = function (this: DeltaIntervals, isDelivered: boolean): void {
  passes('answered');
  answered.call(this, isDelivered);
  passes('recorded');
};

const { open, rename, remove } = NodeStorage.prototype;
const isDraft = (name: string): boolean => name.startsWith('checkpoint-') && name.endsWith('.tmp');
NodeStorage.prototype.open = async function (this: NodeStorage, name, mode) {
  const file = await open.call(this, name, mode);
  if (isDraft(name)) passes('checkpoint begun');
  return file;
};
NodeStorage.prototype.rename = async function (this: NodeStorage, from, to): Promise<void> {
  if (isDraft(from)) passes('checkpoint written');
  await rename.call(this, from, to);
  if (isDraft(from)) passes('checkpoint named');
};
NodeStorage.prototype.remove = async function (this: NodeStorage, name): Promise<void> {
  await remove.call(this, name);
  if (!name.endsWith('.tmp')) passes('checkpoint covering');
};
