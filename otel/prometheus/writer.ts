import { batchesOf, type Collection, noRecordedValue, PointBatch } from '../state/point-batch.ts';
import type { ExpositionReport } from './exposition-report.ts';
import { type Family, type FamilyPart, gatherFamilies } from './families.ts';
import { escapeHelp, seriesLabels } from './label-text.ts';
import type { ExpositionFormat } from './negotiate.ts';
import { boundText, numberText } from './number-text.ts';
import { TargetLabels } from './target-labels.ts';

/** About a millisecond's work. */
const chunkCharacters = 65_536;

/** Suffixes that promtool allows for one type only. */
const reservedSuffix = /_(total|count|sum|bucket)$/;

/**
 * Writes collections as Prometheus' text format 0.0.4 or as OpenMetrics 1.0, after OpenTelemetry's "Prometheus and OpenMetrics
 * compatibility". docs/prometheus.md says what becomes of what.
 *
 * A family's lines stand together, whatever resources they come from, and no series is written twice: of two points with the same
 * name and labels the first is. Timestamps are not written, so that a series whose member leaves ends at once.
 */
export class PrometheusWriter {
  readonly #targets: TargetLabels;

  constructor(targets: TargetLabels = new TargetLabels()) {
    this.#targets = targets;
  }

  /**
   * The text in pieces of about 64 KiB (and empty ones while metrics are put in order), each made when it is asked for, so that
   * whoever sends it can wait for the reader and let others run in between. A stream's points are read when its turn comes.
   *
   * @param report Is filled in on the way.
   */
  *write(
    collection: Collection,
    format: ExpositionFormat,
    report: ExpositionReport,
  ): Generator<string, void> {
    const release = collection.hold?.();
    try {
      yield* this.#write(collection, format, report);
    } finally {
      release?.();
    }
  }

  *#write(
    collection: Collection,
    format: ExpositionFormat,
    report: ExpositionReport,
  ): Generator<string, void> {
    const openMetrics = format === 'openmetrics';
    const { families, targets } = yield* gatherFamilies(collection, this.#targets, openMetrics, report);
    const batch = new PointBatch();
    const text = new TextPieces();

    if (targets.length > 0) {
      const name = openMetrics ? 'target' : 'target_info';
      text.out += `# TYPE ${name} ${openMetrics ? 'info' : 'gauge'}\n# HELP ${name} Attributes of the resource.\n`;
      for (const labels of targets) {
        text.out += `target_info{${labels}} 1\n`;
        if (text.isFull) yield text.take();
      }
      report.samples += targets.length;
      report.families++;
    }

    for (const family of families) {
      let headed = false;
      const seen = new SeenSeries(family);
      for (const part of family.parts) {
        const write =
          family.type === 'histogram'
            ? histogramWriter(family, part, openMetrics)
            : numberWriter(family, part);
        const known = seen.of(part);
        let duplicates = 0;
        for (const { size } of batchesOf(part.stream, batch)) {
          for (let i = 0; i < size; i++) {
            if ((batch.flags[i]! & noRecordedValue) !== 0) continue;
            const labels = seriesLabels(batch.seriesAttributes[i]!);
            if (known.has(labels)) {
              duplicates++;
              continue;
            }
            known.add(labels);
            if (!headed) {
              headed = true;
              report.families++;
              text.out += head(family, openMetrics);
            }
            report.samples += write(text, batch, i, labels);
            if (text.isFull) yield text.take();
          }
        }
        if (duplicates > 0) noteDuplicates(report, family, part, duplicates);
      }
    }
    if (openMetrics) text.out += '# EOF\n';
    if (text.out !== '') yield text.take();
  }
}

/** The text that was not taken yet. */
class TextPieces {
  out = '';

  get isFull(): boolean {
    return this.out.length >= chunkCharacters;
  }

  take(): string {
    const piece = this.out;
    this.out = '';
    return piece;
  }
}

/** The labels that were written of a family, for each of its resources and scopes. */
class SeenSeries {
  readonly #single: boolean;
  readonly #byLabels = new Map<string, Set<string>>();

  constructor(family: Family) {
    this.#single = family.parts.length === 1;
  }

  of(part: FamilyPart): Set<string> {
    if (this.#single) return new Set();
    let known = this.#byLabels.get(part.labels);
    if (known === undefined) {
      known = new Set();
      this.#byLabels.set(part.labels, known);
    }
    return known;
  }
}

function head(family: Family, openMetrics: boolean): string {
  const name = openMetrics ? family.base : family.name;
  const help = `# HELP ${name} ${escapeHelp(family.help, openMetrics)}\n`;
  if (!openMetrics) return `${help}# TYPE ${name} ${textType(family)}\n`;
  const unit = family.unit === '' ? '' : `# UNIT ${name} ${family.unit}\n`;
  return `# TYPE ${name} ${family.type}\n${unit}${help}`;
}

/**
 * promtool refuses a gauge whose name ends like a counter's or a histogram's sample (`system_process_count`), and the compatibility
 * specification gives no other name. The text format calls it untyped, which Prometheus treats as a gauge; OpenMetrics says gauge.
 */
function textType(family: Family): string {
  return family.type === 'gauge' && reservedSuffix.test(family.name) ? 'untyped' : family.type;
}

/** Writes the lines of point `i` and gives their number. */
type PointWriter = (text: TextPieces, batch: PointBatch, i: number, labels: string) => number;

function numberWriter(family: Family, part: FamilyPart): PointWriter {
  const start = `${family.name}{${part.labels}`;
  return (text, batch, i, labels) => {
    text.out += `${start}${labels}} ${numberText(batch.values[i]!)}\n`;
    return 1;
  };
}

function histogramWriter(family: Family, part: FamilyPart, openMetrics: boolean): PointWriter {
  const { explicitBounds, hasSum } = part.stream.metric;
  const bucketStart = `${family.name}_bucket{${part.labels}`;
  const sumStart = `${family.name}_sum{${part.labels}`;
  const countStart = `${family.name}_count{${part.labels}`;
  // '' for a bound that is no bound of its own, so that no line appears twice: an infinite one, or one that is repeated.
  const bounds = explicitBounds.map((bound, b) =>
    Number.isFinite(bound) && bound !== explicitBounds[b + 1]
      ? `,le="${boundText(bound, openMetrics)}"} `
      : '',
  );
  // A sum over values below zero may fall, and Prometheus would take that for a restart.
  const showSum = hasSum && !(explicitBounds.length > 0 && explicitBounds[0]! < 0);

  return (text, batch, i, labels) => {
    let lines = 2;
    let count = 0;
    const first = i * batch.bucketCount;
    for (let b = 0; b < batch.bucketCount - 1; b++) {
      count += batch.bucketCounts[first + b]!;
      if (bounds[b] === '') continue;
      text.out += `${bucketStart}${labels}${bounds[b]}${count}\n`;
      lines++;
    }
    count += batch.bucketCounts[first + batch.bucketCount - 1]!;
    text.out += `${bucketStart}${labels},le="+Inf"} ${count}\n`;
    if (showSum && batch.sums[i]! >= 0) {
      text.out += `${sumStart}${labels}} ${numberText(batch.sums[i]!)}\n`;
      lines++;
    }
    text.out += `${countStart}${labels}} ${count}\n`;
    return lines;
  };
}

function noteDuplicates(report: ExpositionReport, family: Family, part: FamilyPart, points: number): void {
  const { job, instance } = part.target;
  const metric = part.stream.metric.name;
  report.leaveOut({ metric, family: family.name, job, instance, cause: 'duplicate_series', points });
}
