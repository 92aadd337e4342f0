import { Child } from '../../process/child.ts';
import { fixedPort } from '../../process/fixed-port.ts';
import { buildOtelcol } from './build-otelcol.ts';

export interface OtelcolConfig {
  /** By name, in the order they apply. */
  readonly processors?: Readonly<Record<string, unknown>>;
  /** By name; all of them get what was received. */
  readonly exporters: Readonly<Record<string, unknown>>;
}

/** A running OpenTelemetry Collector that receives OTLP on 127.0.0.1. */
export interface Otelcol {
  /** Its process, while it runs. */
  readonly pid: number;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** What it wrote since it was last started. */
  readonly output: string;
  /** SIGTERM: it hands on what it has and ends. Safe when repeated. */
  stop(): Promise<void>;
  /** SIGKILL: it loses what it has. */
  kill(): Promise<void>;
  /** Starts it again on the same ports after {@link stop} or {@link kill}; ready when this resolves. */
  restart(): Promise<void>;
}

/**
 * An exporter that hands everything on, as OTLP/JSON, to a sink at this URL. There is no queue and no retry: whoever sent to the Collector
 * gets its answer after the sink has answered, so what is acknowledged is in the sink.
 */
export function forwardTo(sinkUrl: string): Record<string, unknown> {
  return {
    otlp_http: {
      endpoint: sinkUrl,
      encoding: 'json',
      compression: 'none',
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    },
  };
}

/** Builds the Collector if need be, starts it, and waits until it listens. */
export async function startOtelcol(options: {
  readonly config: OtelcolConfig;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Otelcol> {
  const executable = await buildOtelcol();
  const grpcPort = await fixedPort();
  const httpPort = await fixedPort();
  // JSON is YAML.
  const env = {
    ...options.env,
    OTELCOL_CONFIG: JSON.stringify(configuration(options.config, grpcPort, httpPort)),
  };

  const start = async (): Promise<Child> => {
    const child = new Child(executable, ['--config', 'env:OTELCOL_CONFIG'], { env });
    try {
      await child.waitForOutput(/Everything is ready/, 30_000);
    } catch (error) {
      await child.kill();
      throw error;
    }
    return child;
  };
  let child = await start();
  return {
    get pid() {
      return child.pid;
    },
    grpcPort,
    httpPort,
    get output() {
      return child.output;
    },
    stop: async () => {
      await child.stop();
    },
    kill: async () => {
      await child.kill();
    },
    restart: async () => {
      if (!child.ended) throw new Error('the Collector still runs: stop or kill it first');
      child = await start();
    },
  };
}

function configuration(config: OtelcolConfig, grpcPort: number, httpPort: number): unknown {
  return {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: `127.0.0.1:${grpcPort}` },
          http: { endpoint: `127.0.0.1:${httpPort}` },
        },
      },
    },
    processors: config.processors ?? {},
    exporters: config.exporters,
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        metrics: {
          receivers: ['otlp'],
          processors: Object.keys(config.processors ?? {}),
          exporters: Object.keys(config.exporters),
        },
      },
    },
  };
}
