import { delayPart } from './engine/delay-part.ts';
import { encodePart } from './engine/encode-part.ts';
import { histogramPart } from './engine/histogram-part.ts';
import { ingestPart } from './engine/ingest-part.ts';
import { memoryPart } from './engine/memory-part.ts';
import type { Part, Row } from './engine/part.ts';
import { scalePart } from './engine/scale-part.ts';
import { secondsArgument } from './host/arguments.ts';
import { pin } from './host/pin.ts';
import type { Figures } from './main.ts';

const parts: Readonly<Record<string, Part>> = {
  ingest: ingestPart,
  histograms: histogramPart,
  memory: memoryPart,
  encode: encodePart,
  delay: delayPart,
  scale: scalePart,
};

export const summary = `[${Object.keys(parts).join('|')} ...] [SECONDS=5]  The aggregation engine beside the OpenTelemetry Collector and SDK`;

/** The collector measured on one processor, the sender, this process, on the other. Without names all parts run. */
export async function run(args: readonly string[]): Promise<Figures> {
  const numbers = args.filter((arg) => /^\d/.test(arg));
  const names = args.filter((arg) => !/^\d/.test(arg));
  for (const name of names)
    if (!Object.hasOwn(parts, name))
      throw new RangeError(
        `found ${JSON.stringify(name)} for a part: give any of ${Object.keys(parts).join(', ')}`,
      );
  const seconds = secondsArgument(numbers, 5);
  const isPinned = pin(process.pid, 1);
  console.log(
    `engine: points per CPU-second, ${seconds} s each${isPinned ? '' : '; not pinned to processors'}`,
  );
  const figures: Record<string, number | string> = { seconds };
  for (const name of names.length === 0 ? Object.keys(parts) : names) {
    const result = await parts[name]!({ seconds, scale: 1 });
    for (const row of result.rows) console.log(line(row));
    Object.assign(figures, result.figures);
  }
  return figures;
}

function line({ figure, value, target, peer }: Row): string {
  const beside = [target === undefined ? '' : `target ${target}`, peer ?? ''].filter((text) => text !== '');
  return `  ${figure.padEnd(82)} ${value.padStart(22)}  ${beside.join('; ')}`;
}
