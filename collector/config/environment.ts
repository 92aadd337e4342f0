import { ConfigError } from '../../otel/config/config-error.ts';
import { parseKeyValueList } from '../../otel/config/key-value-list.ts';
import {
  type MetricReaderConfig,
  type PushExporterConfig,
  readerDefaults,
  readerNames,
} from '../../otel/config/metric-readers.ts';
import {
  type Endpoint,
  grpcEndpoint,
  httpBaseEndpoint,
  httpEndpoint,
} from '../../otel/config/otlp-endpoint.ts';
import type { Problem } from '../../otel/config/problem.ts';
import { maxDurationMs } from '../../otel/config/quantity.ts';
import type { Environment } from '../../otel/config/substitution.ts';
import { quoted } from '../../otel/config/value-text.ts';
import { type AttributeValue, attributes } from '../../otel/model/attributes.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import { type CollectorConfig, collectorDefaults, directoryDefaults } from './collector-config.ts';

/**
 * The configuration without a file: the defaults, and OpenTelemetry's environment variables. There is a push reader only when an endpoint
 * or another exporter is named, because OpenTelemetry's default endpoint is a collector on this machine: this one. Throws
 * {@link ConfigError} with all problems there are. See https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function environmentConfig(environment: Environment): CollectorConfig {
  const variables = new Variables(environment);
  const config = {
    ...collectorDefaults,
    storage: directoryDefaults,
    readers: readers(variables),
    resource: resource(variables),
  };
  if (variables.problems.length > 0) throw new ConfigError(variables.problems);
  return config;
}

function resource(variables: Variables): Resource {
  const pairs = new Map<string, AttributeValue>(variables.list('OTEL_RESOURCE_ATTRIBUTES'));
  const name = variables.text('OTEL_SERVICE_NAME');
  if (name !== undefined) pairs.set('service.name', name);
  return { attributes: attributes(pairs), schemaUrl: '' };
}

function readers(variables: Variables): MetricReaderConfig[] {
  const endpoint = variables.otlp('ENDPOINT');
  const isOtlpDefault = endpoint !== undefined;
  const named = variables.text('OTEL_METRICS_EXPORTER') ?? (isOtlpDefault ? 'otlp' : 'none');
  const intervalMs = variables.milliseconds('OTEL_METRIC_EXPORT_INTERVAL') ?? readerDefaults.intervalMs;
  const timeoutMs = variables.milliseconds('OTEL_METRIC_EXPORT_TIMEOUT') ?? readerDefaults.timeoutMs;
  const list: ({ kind: 'prometheus'; host: string; port: number } | PushExporterConfig)[] = [];
  for (const kind of new Set(named.split(',').map((part) => part.trim()))) {
    if (kind === 'none' || kind === '') continue;
    if (kind === 'console') list.push({ kind, temporality: temporality(variables) });
    else if (kind === 'prometheus') {
      list.push({
        kind,
        host: variables.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? readerDefaults.prometheusHost,
        port: variables.number('OTEL_EXPORTER_PROMETHEUS_PORT', 65_535) ?? readerDefaults.prometheusPort,
      });
    } else if (kind !== 'otlp') {
      const message = `found ${quoted(kind)}; allowed: otlp, console, prometheus and none`;
      variables.report('OTEL_METRICS_EXPORTER', message);
    } else if (endpoint === undefined) {
      const message =
        'found otlp without OTEL_EXPORTER_OTLP_ENDPOINT, whose default is this collector itself; allowed: otlp with an endpoint';
      variables.report('OTEL_METRICS_EXPORTER', message);
    } else {
      const exporter = otlpExporter(variables, endpoint);
      if (exporter !== undefined) list.push(exporter);
    }
  }
  const names = readerNames(list.map(({ kind }) => kind));
  return list.map((one, index): MetricReaderConfig => {
    const name = names[index]!;
    if (one.kind === 'prometheus') return { ...one, name };
    const { maxRequestBytes } = readerDefaults;
    return {
      kind: 'periodic',
      name,
      intervalMs,
      timeoutMs: Math.min(timeoutMs, intervalMs),
      maxRequestBytes,
      exporter: one,
    };
  });
}

function otlpExporter(
  variables: Variables,
  found: { name: string; value: string },
): PushExporterConfig | undefined {
  const protocol = variables.otlpChoice('PROTOCOL', ['grpc', 'http/protobuf'] as const) ?? 'http/protobuf';
  const insecure = variables.otlpChoice('INSECURE', ['true', 'false'] as const) === 'true';
  const common = {
    headers: Object.fromEntries(
      [...variables.otlpList('HEADERS')].map(([name, value]) => [name.toLowerCase(), value]),
    ),
    compression: variables.otlpChoice('COMPRESSION', ['gzip', 'none'] as const) ?? 'none',
    timeoutMs: variables.otlpMilliseconds('TIMEOUT') ?? readerDefaults.exporterTimeoutMs,
    temporality: temporality(variables),
    tls: {
      caFile: variables.otlp('CERTIFICATE')?.value,
      keyFile: variables.otlp('CLIENT_KEY')?.value,
      certFile: variables.otlp('CLIENT_CERTIFICATE')?.value,
    },
  };
  let endpoint: Endpoint;
  if (protocol === 'grpc') endpoint = grpcEndpoint(found.value, insecure);
  else if (found.name.includes('METRICS')) endpoint = httpEndpoint(found.value);
  else endpoint = httpBaseEndpoint(found.value);
  if ('problem' in endpoint) {
    variables.report(found.name, `found ${quoted(found.value)}; ${endpoint.problem}`);
    return undefined;
  }
  return { kind: protocol === 'grpc' ? 'otlp_grpc' : 'otlp_http', endpoint: endpoint.url, ...common };
}

function temporality(variables: Variables): Temporality {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  return variables.choice(name, ['cumulative', 'delta'] as const) ?? 'cumulative';
}

/** Reads variables and gathers what is wrong with them. An empty variable is as if it were not set. */
class Variables {
  readonly problems: Problem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  report(name: string, message: string): void {
    if (this.problems.some((problem) => problem.path === name)) return;
    this.problems.push({ file: 'environment', line: 0, column: 0, path: name, message });
  }

  text(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === '' ? undefined : value;
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const known = allowed.find((one) => one === value.toLowerCase());
    if (known === undefined) this.report(name, `found ${quoted(value)}; allowed: ${allowed.join(' or ')}`);
    return known;
  }

  number(name: string, max: number, min = 0): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    this.report(name, `found ${quoted(value)}; allowed: a whole number from ${min} to ${max}`);
    return undefined;
  }

  milliseconds(name: string): number | undefined {
    return this.number(name, maxDurationMs, 1);
  }

  list(name: string): ReadonlyMap<string, string> {
    const pairs = parseKeyValueList(this.text(name) ?? '');
    if (typeof pairs !== 'string') return pairs;
    this.report(name, `found a value that is not shown; ${pairs}`);
    return new Map();
  }

  /** A variable of the OTLP exporter: the one for metrics, else the one for all signals. */
  otlp(suffix: string): { name: string; value: string } | undefined {
    for (const name of [`OTEL_EXPORTER_OTLP_METRICS_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`]) {
      const value = this.text(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }

  otlpChoice<T extends string>(suffix: string, allowed: readonly T[]): T | undefined {
    const found = this.otlp(suffix);
    return found === undefined ? undefined : this.choice(found.name, allowed);
  }

  otlpMilliseconds(suffix: string): number | undefined {
    const found = this.otlp(suffix);
    return found === undefined ? undefined : this.milliseconds(found.name);
  }

  otlpList(suffix: string): ReadonlyMap<string, string> {
    const found = this.otlp(suffix);
    return found === undefined ? new Map() : this.list(found.name);
  }
}
