import { type Collection, noMore, noRecordedValue, PointBatch, placesPerRead } from '../state/point-batch.ts';
import type { ExpositionReport } from './exposition-report.ts';
import { type Family, type FamilyPart, gatherFamilies } from './families.ts';
import { escapeHelp, seriesLabels } from './label-text.ts';
import type { ExpositionFormat } from './negotiate.ts';
import { pointWriter } from './point-writers.ts';
import { SeenSeries } from './seen-series.ts';
import { TargetLabels } from './target-labels.ts';
import { TextPieces } from './text-pieces.ts';

/** What a stream costs beside its points, as so many points. */
const streamWork = 8;

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
   * The text in pieces of about 64 KiB (and empty ones where work made no text to take), each made when it is asked for, so that
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

    let work = 0;
    for (const family of families) {
      let headed = false;
      const seen = new SeenSeries(family);
      for (const part of family.parts) {
        const write = pointWriter(family, part, openMetrics);
        const known = seen.of(part);
        let duplicates = 0;
        for (let at = 0; at !== noMore; ) {
          at = part.stream.read(batch, at);
          for (let i = 0; i < batch.size; i++) {
            if ((batch.flags[i]! & noRecordedValue) !== 0) continue;
            const labels = seriesLabels(batch.seriesAttributes[i]!);
            if (!known.add(labels)) {
              duplicates++;
              continue;
            }
            if (!headed) {
              headed = true;
              report.families++;
              text.out += head(family, openMetrics);
            }
            report.samples += write(text, batch, i, labels);
            if (text.isFull) yield text.take();
          }
          work += streamWork + batch.size;
          if (at === noMore && work < placesPerRead) continue;
          work = 0;
          yield '';
        }
        if (duplicates > 0) noteDuplicates(report, family, part, duplicates);
      }
    }
    if (openMetrics) text.out += '# EOF\n';
    if (text.out !== '') yield text.take();
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

function noteDuplicates(report: ExpositionReport, family: Family, part: FamilyPart, points: number): void {
  const { job, instance } = part.target;
  const metric = part.stream.metric.name;
  report.leaveOut({ metric, family: family.name, job, instance, cause: 'duplicate_series', points });
}
