import { byteText, countText, numberText, percentText } from './quantity-text.ts';
import { sparkline } from './sparkline.ts';
import type { ReaderStatus } from './status.ts';
import type { HostLine, UpView } from './status-history.ts';
import { cut, harmless, padded } from './terminal-text.ts';

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

const labelColumns = 12;
const valueColumns = 14;
const maxReaders = 8;
const maxEvents = 6;

/**
 * The live summary as lines, each at most `columns` wide and at most `rows` of them: from the snapshot, and the latest log
 * messages. A pure function. Whatever comes from outside is made harmless.
 */
export function viewLines(view: UpView, events: readonly string[], size: ViewSize): string[] {
  const { status } = view;
  const lines = [
    `streamgauge · up ${uptimeText(status.uptimeMs)} · Ctrl-C ends`,
    '',
    field('streams', `grpc://${status.addresses.grpc}`),
    field('metrics', `http://${status.addresses.http}/metrics`),
    field('status', `http://${status.addresses.admin}/status`),
    '',
    field('agents', `${status.agents} connected`),
    field('series', `${countText(status.seriesIn)} in, ${countText(status.seriesOut)} out`),
    trendLine(
      'points',
      view.pointsPerSecond === undefined ? '–' : `${countText(Math.round(view.pointsPerSecond))}/s`,
      view.pointsTrend,
      size.columns,
    ),
    field(
      'on the wire',
      view.bytesPerPoint === undefined ? '–' : `${view.bytesPerPoint.toFixed(2)} bytes per point`,
    ),
    '',
    ...readerLines(status.readers),
    ...(view.host.length > 0 ? ['', ...view.host.map((line) => hostLine(line, size.columns))] : []),
    ...(events.length > 0 ? ['', ...events.slice(-maxEvents).map((event) => `  ${harmless(event)}`)] : []),
  ];
  return lines
    .slice(0, Math.max(1, size.rows))
    .map((line) => cut(harmless(line).trimEnd() === '' ? '' : line, size.columns));
}

function field(label: string, text: string): string {
  return `  ${padded(harmless(label), labelColumns)} ${harmless(text)}`;
}

function trendLine(
  label: string,
  text: string,
  trend: readonly number[],
  columns: number,
  max?: number,
): string {
  const room = columns - labelColumns - valueColumns - 4;
  const name = padded(cut(harmless(label), labelColumns), labelColumns);
  return `  ${name} ${padded(text, valueColumns)} ${sparkline(trend, Math.min(60, room), max)}`;
}

function hostLine(line: HostLine, columns: number): string {
  const perSecond = line.isRate && line.unit !== '1' ? '/s' : '';
  const max = line.unit === '1' ? 1 : undefined;
  const text = line.value === undefined ? '–' : `${valueText(line.value, line.unit)}${perSecond}`;
  return trendLine(line.label, text, line.trend, columns, max);
}

function valueText(value: number, unit: HostLine['unit']): string {
  if (unit === '1') return percentText(value);
  return unit === 'By' ? byteText(value) : numberText(value);
}

function readerLines(readers: readonly ReaderStatus[]): string[] {
  if (readers.length === 0)
    return [field('export', 'none: add --otlp http://HOST:4318 to send to a backend')];
  const lines = readers.slice(0, maxReaders).map((reader) => {
    const counts = `${countText(reader.points)} points${reader.droppedPoints > 0 ? `, ${countText(reader.droppedPoints)} dropped` : ''}`;
    const state = reader.state === 'failing' ? `failing: ${reader.error}` : reader.state;
    return field('export', `${reader.name} → ${reader.target} · ${state} · ${counts}`);
  });
  const more = readers.length - maxReaders;
  return more > 0 ? [...lines, field('', `and ${more} more`)] : lines;
}

/** `3s`, `2m05s`, `1h02m`. */
export function uptimeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
}
