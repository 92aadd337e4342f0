import { directoryHolder, holderText } from '../../collector/journal/directory-lock.ts';
import { inspectDirectory } from '../../collector/journal/inspect-directory.ts';
import { NodeStorage } from '../../collector/journal/node-storage.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { inspectionText, recordLine } from '../journal-table.ts';

export interface InspectFlags {
  readonly records?: boolean;
}

/** So much text is gathered for one write. */
const writeLength = 64 * 1024;

/**
 * `streamgauge journal inspect DIR`: prints what is in a data directory. It only reads, also while a collector writes. Ends with 1 when something
 * in it is damaged.
 */
export async function runInspect(directory: string, flags: InspectFlags): Promise<void> {
  const storage = new NodeStorage(directory);
  const holder = await holderOf(storage.path);
  let lines = '';
  const print = (text: string): void => {
    lines += text;
    if (lines.length < writeLength) return;
    process.stdout.write(lines);
    lines = '';
  };
  const inspection = await inspectDirectory(
    storage,
    flags.records === true ? (record) => print(recordLine(record)) : undefined,
  );
  print(`${lines === '' ? '' : '\n'}${inspectionText(storage.path, inspection, holder)}`);
  process.stdout.write(lines);
  const { segments, checkpoints, problems } = inspection;
  const isWritten = holder === undefined ? undefined : segments.at(-1);
  const faults = [...checkpoints, ...segments].filter(
    (file) => file.problem !== undefined && file !== isWritten,
  );
  if (faults.length > 0 || problems.length > 0) process.exitCode = 1;
}

async function holderOf(directory: string): Promise<string | undefined> {
  try {
    const holder = await directoryHolder(directory);
    return holder === undefined ? undefined : holderText(holder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such directory' : code === 'ENOTDIR' ? 'it is no directory' : message;
    throw new StreamgaugeError(
      'config',
      `cannot read ${directory}: ${why}; give the directory that the collector got as --data-dir`,
      { cause: error },
    );
  }
}
