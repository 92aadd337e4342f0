import test from 'ava';
import { MemoryStorage } from './memory-storage.ts';
import { recordedLog } from './recorded-log.ts';
import { reopen } from './reopened.ts';

type Files = ReadonlyMap<string, Buffer>;

/** A directory with two terms, a checkpoint of the first nine of sixteen records, and three small segments. */
async function made(): Promise<{ files: Files; texts: string[] }> {
  const storage = new MemoryStorage();
  const options = { segmentBytes: 512 };
  const texts = Array.from({ length: 16 }, (_, i) => `record ${i} `.padEnd(30 + i, '.'));
  let { state } = await reopen(storage, options);
  const append = async (from: number, to: number) => {
    for (const text of texts.slice(from, to))
      await state.journal.committed(state.journal.append(7, Buffer.from(text)));
  };
  await append(0, 9);
  const held = texts.slice(0, 9).map((text, key) => ({ type: 1, key, bytes: Buffer.from(text) }));
  await state.writeCheckpoint(state.journal.position, held);
  await append(9, 13);
  await state.close();
  ({ state } = await reopen(storage, options));
  await append(13, 16);
  await state.close();
  return { files: storage.files(), texts };
}

async function read(files: Files) {
  const storage = MemoryStorage.of(files);
  const log = recordedLog();
  const { chunks, records, report, state } = await reopen(storage, {}, log);
  const texts = [
    ...chunks.map((chunk) => chunk.slice(chunk.indexOf('r'))),
    ...records.map(({ text }) => text),
  ];
  return { storage, log, texts, report, state };
}

const changed = (files: Files, name: string, change: (bytes: Buffer) => Buffer): Files =>
  new Map([...files].map(([each, bytes]) => [each, each === name ? change(Buffer.from(bytes)) : bytes]));

const flipped =
  (offset: number) =>
  (bytes: Buffer): Buffer => {
    bytes[offset]! ^= 1 << (offset % 8);
    return bytes;
  };

const segmentsOf = (files: Files): string[] =>
  [...files.keys()].filter((name) => name.startsWith('segment')).sort();

test('the directory that the others damage', async (t) => {
  const { files, texts } = await made();
  const whole = await read(files);
  t.deepEqual(whole.texts, texts);
  t.deepEqual(whole.report.damages, []);
  t.false(whole.report.losesAcknowledged);
  t.true(segmentsOf(files).length >= 3);
  t.deepEqual(whole.log.entries, []);
});

test('a bit flipped anywhere in a segment: all records, or those before it and the loss is told', async (t) => {
  const { files, texts } = await made();
  let lossy = 0;
  for (const name of segmentsOf(files))
    for (let offset = 0; offset < files.get(name)!.length; offset++) {
      const { texts: found, report, storage } = await read(changed(files, name, flipped(offset)));
      const place = `${name} at ${offset}`;
      t.deepEqual(found, texts.slice(0, found.length), place);
      // The frame of the orderly end proves that everything before it was committed.
      t.is(report.losesAcknowledged, found.length < texts.length, place);
      if (found.length < texts.length) {
        lossy++;
        t.true(report.damages.length > 0);
        t.true(
          [...storage.files().keys()].some((each) => each.startsWith('damaged/')),
          place,
        );
      }
    }
  t.true(lossy > 300);
});

test('a segment cut anywhere: all records, or those before it; and the loss is told unless nothing can show it', async (t) => {
  const { files, texts } = await made();
  const names = segmentsOf(files);
  for (const name of names)
    for (let length = 0; length < files.get(name)!.length; length++) {
      const { texts: found, report } = await read(changed(files, name, (bytes) => bytes.subarray(0, length)));
      const place = `${name} at ${length}`;
      t.deepEqual(found, texts.slice(0, found.length), place);
      if (name === names.at(-1)) {
        // As after a kill, but for a header, which is on the disk before anything else is.
        const isHeaderCut = length < 80;
        t.is(report.losesAcknowledged, isHeaderCut, place);
      } else t.is(report.losesAcknowledged, found.length < texts.length, place);
    }
});

test('after a damage the journal goes on: what is appended then is read, the loss is told until a checkpoint settles it', async (t) => {
  const { files, texts } = await made();
  const [, middle] = segmentsOf(files);
  const {
    storage,
    state,
    texts: found,
    report,
  } = await read(changed(files, middle!, flipped(files.get(middle!)!.length - 40)));
  t.true(found.length > 8 && found.length < texts.length);
  t.true(report.losesAcknowledged);
  t.is(report.losses.length, 1);
  t.true(report.losses[0]!.token.equals(state.term));
  await state.journal.committed(state.journal.append(7, Buffer.from('record new')));
  await state.close();
  const again = await read(storage.files());
  t.deepEqual(again.texts, [...found, 'record new']);
  t.deepEqual(again.report.damages, []);
  t.true(again.report.losesAcknowledged);
  t.true(again.report.losses[0]!.token.equals(state.term));
  const held = again.texts.map((text, key) => ({ type: 1, key, bytes: Buffer.from(text) }));
  await again.state.writeCheckpoint(again.state.journal.position, held);
  await again.state.close();
  const settled = await read(again.storage.files());
  t.deepEqual(settled.texts, again.texts);
  t.false(settled.report.losesAcknowledged);
});

test('a bit flipped or a cut anywhere in a checkpoint: it is put aside, and the loss is told', async (t) => {
  const { files } = await made();
  const name = [...files.keys()].find((each) => each.startsWith('checkpoint'))!;
  const { length } = files.get(name)!;
  for (let offset = 0; offset < length; offset++)
    for (const change of [flipped(offset), (bytes: Buffer) => bytes.subarray(0, offset)]) {
      const { texts, report, storage } = await read(changed(files, name, change));
      t.deepEqual(texts, []);
      t.true(report.losesAcknowledged);
      t.true(report.damages.some(({ file }) => file === name));
      t.false(storage.files().has(name));
      t.true([...storage.files().keys()].some((each) => each.startsWith(`damaged/${name}`)));
    }
});

test('with a bad checkpoint, the one before it and the journal tell the same while they are there', async (t) => {
  const { files, texts } = await made();
  const storage = MemoryStorage.of(files);
  const { state, report } = await reopen(storage);
  // Nothing is removed: as if it was killed behind the new checkpoint's rename.
  storage.fault = (call) => {
    if (call === 'remove') throw new Error('killed');
    return undefined;
  };
  await state
    .writeCheckpoint(state.journal.position, [{ type: 1, key: 0, bytes: Buffer.from('record all') }])
    .catch(() => undefined);
  storage.fault = undefined;
  const now = storage.files();
  const names = [...now.keys()].filter((each) => each.startsWith('checkpoint')).sort();
  t.is(names.length, 1, 'a draft that cannot be removed is no checkpoint');
  t.is(report.checkpoint!.chunks, 9);

  const later = await reopen(storage);
  await later.state.writeCheckpoint(later.state.journal.position, [
    { type: 1, key: 0, bytes: Buffer.from('record all') },
  ]);
  const newest = [...storage.files().keys()].find(
    (each) => each.startsWith('checkpoint') && each !== names[0],
  )!;
  const both = new Map([...now, ...storage.files()]);
  t.deepEqual((await read(both)).texts, ['record all']);
  const fallback = await read(changed(both, newest, flipped(100)));
  t.deepEqual(fallback.texts, texts);
  t.false(fallback.report.losesAcknowledged);
  t.is(fallback.report.damages.length, 1);
});

test('a segment that is missing: what is before it is read, the extent is told, the rest is put aside', async (t) => {
  const { files, texts } = await made();
  const names = segmentsOf(files);
  for (const [index, name] of names.entries()) {
    const rest = new Map([...files].filter(([each]) => each !== name));
    const { texts: found, report, storage } = await read(rest);
    t.deepEqual(found, texts.slice(0, found.length));
    if (index < names.length - 1) t.true(report.losesAcknowledged, name);
    else t.is(report.losesAcknowledged, report.damages.length > 0);
    for (const later of names.slice(index + 1)) t.false(storage.files().has(later), later);
  }
});

test('everything but the list of terms is missing: the loss is told', async (t) => {
  const { files } = await made();
  const { texts, report } = await read(
    new Map([...files].filter(([name]) => /^(terms|directory)/.test(name))),
  );
  t.deepEqual(texts, []);
  t.true(report.losesAcknowledged);
});

test('files of another directory are put aside and harm nothing; those with other names are left alone', async (t) => {
  const { files, texts } = await made();
  const other = (await made()).files;
  const strange = new Map<string, Buffer>([
    ...files,
    ['segment-000fffffffffff', other.get(segmentsOf(other)[0]!)!],
    ['checkpoint-00000000ffffff', other.get([...other.keys()].find((name) => name.startsWith('check'))!)!],
    ['member-id', Buffer.from('agent\n')],
    ['segment-1', Buffer.from('x')],
    ['notes.tmp', Buffer.from('x')],
  ]);
  const { texts: found, report, storage } = await read(strange);
  t.deepEqual(found, texts);
  t.false(report.losesAcknowledged);
  t.deepEqual(
    report.damages.map(({ kind }) => kind),
    ['foreign', 'foreign'],
  );
  for (const name of ['member-id', 'segment-1', 'notes.tmp']) t.true(storage.files().has(name), name);
});

test('a segment of an older time in the place of a newer one does not pass', async (t) => {
  const { files, texts } = await made();
  const [first, second] = segmentsOf(files);
  // The same records, written by another journal of the same directory.
  const old = Buffer.from(files.get(first!)!);
  const { texts: found, report } = await read(changed(files, second!, () => old));
  t.true(found.length < texts.length);
  t.true(report.losesAcknowledged);
});

test('the directory file and the list of terms are told by the headers where they are damaged', async (t) => {
  const { files, texts } = await made();
  const { state: before } = await read(files);
  const tokens = before.terms.all.slice(0, 2).map(({ token }) => token.toString('hex'));
  for (const name of ['directory.json', 'terms'])
    for (let offset = 0; offset < files.get(name)!.length; offset++)
      for (const change of [flipped(offset), (bytes: Buffer) => bytes.subarray(0, offset)]) {
        const { texts: found, state, report, storage } = await read(changed(files, name, change));
        const place = `${name} at ${offset}`;
        t.deepEqual(found, texts, place);
        t.true(state.directoryId.equals(before.directoryId), place);
        t.is(state.bornMs, before.bornMs, place);
        const told = state.terms.all.slice(0, -1).map(({ token }) => token.toString('hex'));
        t.deepEqual(told, tokens, place);
        // An earlier term ended where its successor began.
        t.is(state.terms.verdict(before.terms.all[0]!.token, before.terms.all[1]!.from), 'held', place);
        t.is(
          state.terms.verdict(before.terms.all[0]!.token, before.terms.all[1]!.from + 1),
          'beyond_end',
          place,
        );
        t.false(report.losesAcknowledged, place);
        const again = await read(storage.files());
        t.deepEqual(again.report.damages, [], place);
        t.true(again.state.directoryId.equals(before.directoryId), place);
        const kept = [...storage.files().keys()].filter((each) => each.startsWith(`damaged/${name}`));
        t.is(kept.length, report.damages.length, place);
      }
});

test('a directory of a newer version is refused in one sentence and not touched', async (t) => {
  const { files } = await made();
  const { crc32 } = await import('node:zlib');
  const text = JSON.parse(files.get('directory.json')!.toString());
  text.version = 2;
  text.checksum = crc32(`2 ${text.id} ${text.born}`).toString(16).padStart(8, '0');
  const newer = changed(files, 'directory.json', () => Buffer.from(JSON.stringify(text)));
  const storage = MemoryStorage.of(newer);
  const error = await t.throwsAsync(reopen(storage));
  t.regex(error.message, /\/memory has format version 2, and this program reads 1: .*--data-dir/);
  t.deepEqual(storage.files(), newer);
});

test('a torn tail is cut with one warning', async (t) => {
  const { files, texts } = await made();
  const last = segmentsOf(files).at(-1)!;
  // Without the frame of an orderly end, and half of the last commit.
  const {
    log,
    report,
    texts: found,
  } = await read(changed(files, last, (bytes) => bytes.subarray(0, bytes.length - 28 - 40)));
  t.deepEqual(found, texts.slice(0, -1));
  t.false(report.losesAcknowledged);
  t.deepEqual(
    report.damages.map(({ kind }) => kind),
    ['torn'],
  );
  t.deepEqual(
    log.entries.map(({ level }) => level),
    ['warn'],
  );
  t.regex(
    log.entries[0]!.message,
    /^the journal's last commit was not whole: its last \d+ bytes, from offset \d+ on, .*; it was cut off$/,
  );
});

test('what an Ack told is held, or proves a loss', async (t) => {
  const storage = new MemoryStorage();
  const first = await reopen(storage);
  const positions = ['a', 'b', 'c'].map((text) => first.state.journal.append(1, Buffer.from(text)));
  await first.state.close();
  const second = await reopen(storage);
  const { terms } = second.state;
  t.is(terms.verdict(first.state.term, positions[2]!), 'held');
  t.is(terms.verdict(first.state.term, positions[2]! + 1), 'beyond_end');
  t.is(terms.verdict(Buffer.alloc(8), 0), 'unknown_term');
  const d = second.state.journal.append(1, Buffer.from('d'));
  await second.state.close();
  // A later term that begins further back ends all terms before it.
  const files = storage.files();
  for (const name of segmentsOf(files)) files.delete(name);
  const third = await reopen(MemoryStorage.of(files));
  t.true(third.report.losesAcknowledged);
  for (const [{ term }, position] of [
    [first.state, positions[0]!],
    [second.state, d],
  ] as const)
    t.is(third.state.terms.verdict(term, position), 'beyond_end');
});
