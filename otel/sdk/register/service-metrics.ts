import { type MeterProvider as ApiMeterProvider, createNoopMeter, metrics } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  type ResourceDetector,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { StreamMetricExporter } from '../stream-metric-exporter.ts';
import type { DetectorName, RegisterSettings } from './environment.ts';
import { runtimeMetrics } from './runtime-metrics.ts';

/** Series of one metric; the SDK puts those beyond into one with `otel.metric.overflow`. Its own default is 2,000. */
const maxSeriesOfMetric = 10_000;

const scopeName = 'streamgauge/otel/register';

const detectors: Readonly<Record<DetectorName, ResourceDetector>> = {
  env: envDetector,
  host: hostDetector,
  os: osDetector,
  process: processDetector,
  serviceinstance: serviceInstanceIdDetector,
};

/** What measures the process and exports it. */
export interface ServiceMetrics {
  readonly provider: MeterProvider;
  readonly exporter: StreamMetricExporter;
  /** It is the global provider. `false`: the application has one of its own, which stays. */
  readonly isGlobal: boolean;
  /** Exports a last time and ends. Rejects with what was not delivered. Called again it gives the same promise. */
  shutdown(): Promise<void>;
}

/**
 * Sets a MeterProvider up with the runtime's metrics, and makes it the global one unless there is one already. An application that sets its
 * own later gets its way: that one becomes the global one, and this one goes on beside it with the runtime's metrics.
 * @throws StreamgaugeError `config` when the exporter cannot be made of the settings
 */
export function startServiceMetrics(settings: RegisterSettings): ServiceMetrics {
  const exporter = new StreamMetricExporter(settings.exporter);
  const limit = maxSeriesOfMetric;
  const provider = new MeterProvider({
    resource: defaultResource().merge(
      detectResources({ detectors: settings.detectors.map((name) => detectors[name]) }),
    ),
    readers: [
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: settings.exportIntervalMs,
        exportTimeoutMillis: settings.exportTimeoutMs,
        cardinalityLimits: { default: limit },
      }),
    ],
  });
  const stopRuntime = runtimeMetrics(provider.getMeter(scopeName));
  const isGlobal = becomeGlobal(provider);
  let ended: Promise<void> | undefined;
  const shutdown = async () => {
    try {
      await provider.shutdown();
    } finally {
      stopRuntime();
      // A reader whose last flush failed leaves its exporter open.
      await exporter.shutdown().catch(() => {});
    }
  };
  return {
    provider,
    exporter,
    isGlobal,
    shutdown: () => {
      ended ??= shutdown();
      return ended;
    },
  };
}

/** Registers for as long as the application does not register one of its own. */
function becomeGlobal(provider: MeterProvider): boolean {
  const set = metrics.setGlobalMeterProvider.bind(metrics);
  // Asked first, since a second registration is logged as an error.
  if (metrics.getMeterProvider().getMeter(scopeName) !== createNoopMeter()) return false;
  if (!set(provider)) return false;
  metrics.setGlobalMeterProvider = (own: ApiMeterProvider) => {
    metrics.setGlobalMeterProvider = set;
    metrics.disable();
    return set(own);
  };
  return true;
}
