import { parseKeyValueList } from '../../config/key-value-list.ts';
import type { ChannelTls } from '../../stream/channel-tls.ts';
import type { StreamMetricExporterOptions } from '../stream-metric-exporter.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment asks for. */
export interface RegisterSettings {
  readonly exporter: StreamMetricExporterOptions;
  readonly exportIntervalMs: number;
  readonly exportTimeoutMs: number;
  /** Detectors by OpenTelemetry's names for them. */
  readonly detectors: readonly DetectorName[];
}

/** In the order in which they are asked: what a later one says holds, so that what people said holds. */
export const detectorNames = ['serviceinstance', 'process', 'os', 'host', 'env'] as const;
export type DetectorName = (typeof detectorNames)[number];

export type Wanted =
  | { readonly kind: 'stream'; readonly settings: RegisterSettings; readonly warnings: readonly string[] }
  /** Nothing is to be exported; with `why` it should be said. */
  | { readonly kind: 'nothing'; readonly why: string | undefined };

/**
 * The standard OTEL_* variables, and STREAMGAUGE_ENDPOINT and STREAMGAUGE_TOKEN_FILE, as docs/services.md lists them. A value that cannot be is warned of and
 * passed over, as OpenTelemetry's specification has it; an empty one counts as absent.
 */
export function registerSettings(env: Environment): Wanted {
  const value = (name: string) => env[name]?.trim() || undefined;
  /** The variable for metrics, else the one for all signals. */
  const otlp = (name: string) =>
    value(`OTEL_EXPORTER_OTLP_METRICS_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
  if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return { kind: 'nothing', why: undefined };
  const exporters = (value('OTEL_METRICS_EXPORTER') ?? 'otlp').split(',').map((name) => name.trim());
  if (exporters.includes('none')) return { kind: 'nothing', why: undefined };
  if (!exporters.includes('otlp') && !exporters.includes('streamgauge'))
    return {
      kind: 'nothing',
      why: `OTEL_METRICS_EXPORTER is ${exporters.join(',')}, and streamgauge/otel/register knows otlp and streamgauge, which are the stream, and none: nothing is exported`,
    };
  const warnings: string[] = [];
  const milliseconds = (name: string, text: string | undefined, ifAbsent: number): number => {
    if (text === undefined) return ifAbsent;
    const number = Number(text);
    if (Number.isInteger(number) && number > 0 && number <= 3_600_000) return number;
    warnings.push(
      `${name} is ${text}; whole milliseconds from 1 to 3600000 are allowed: ${ifAbsent} is used`,
    );
    return ifAbsent;
  };
  const exportIntervalMs = milliseconds(
    'OTEL_METRIC_EXPORT_INTERVAL',
    value('OTEL_METRIC_EXPORT_INTERVAL'),
    60_000,
  );
  const timeoutMs = milliseconds('OTEL_EXPORTER_OTLP_TIMEOUT', otlp('TIMEOUT'), 10_000);
  const exportTimeoutMs = milliseconds(
    'OTEL_METRIC_EXPORT_TIMEOUT',
    value('OTEL_METRIC_EXPORT_TIMEOUT'),
    30_000,
  );
  const endpoint = value('STREAMGAUGE_ENDPOINT') ?? otlp('ENDPOINT');
  return {
    kind: 'stream',
    settings: {
      exporter: {
        endpoint: endpoint === undefined ? undefined : withScheme(endpoint, otlp('INSECURE')),
        timeoutMs,
        headers: headersOf(otlp('HEADERS'), warnings),
        tokenFile: value('STREAMGAUGE_TOKEN_FILE'),
        tls: tlsOf(otlp('CERTIFICATE'), otlp('CLIENT_CERTIFICATE'), otlp('CLIENT_KEY')),
      },
      exportIntervalMs,
      // The SDK's reader refuses a longer one.
      exportTimeoutMs: Math.min(exportTimeoutMs, exportIntervalMs),
      detectors: detectorsOf(value('OTEL_NODE_RESOURCE_DETECTORS'), warnings),
    },
    warnings,
  };
}

/** OTEL_EXPORTER_OTLP_INSECURE is for endpoints without a scheme. */
function withScheme(endpoint: string, insecure: string | undefined): string {
  return insecure?.toLowerCase() === 'true' && !/^[a-z]+:\/\//i.test(endpoint)
    ? `http://${endpoint}`
    : endpoint;
}

function headersOf(list: string | undefined, warnings: string[]): Record<string, string> {
  if (list === undefined) return {};
  const pairs = parseKeyValueList(list);
  if (typeof pairs === 'string') {
    warnings.push(`OTEL_EXPORTER_OTLP_HEADERS is passed over: ${pairs}`);
    return {};
  }
  return Object.fromEntries([...pairs].map(([name, value]) => [name.toLowerCase(), value]));
}

function tlsOf(
  caFile: string | undefined,
  certFile: string | undefined,
  keyFile: string | undefined,
): ChannelTls | undefined {
  if (caFile === undefined && certFile === undefined && keyFile === undefined) return undefined;
  return { caFile, certFile, keyFile };
}

function detectorsOf(list: string | undefined, warnings: string[]): readonly DetectorName[] {
  const names = (list ?? 'all').split(',').map((name) => name.trim());
  if (names.includes('none')) return [];
  if (names.includes('all')) return detectorNames;
  const known = detectorNames.filter((name) => names.includes(name));
  const unknown = names.filter((name) => !(detectorNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    warnings.push(
      `OTEL_NODE_RESOURCE_DETECTORS has ${unknown.join(', ')}, which ${unknown.length === 1 ? 'is' : 'are'} passed over; known: all, none, ${detectorNames.join(', ')}`,
    );
  return known;
}
