import { diag } from '@opentelemetry/api';
import { StreamgaugeError } from '../../../proto/error.ts';
import type { ServiceMetrics } from './service-metrics.ts';

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Exports a last time when the process has nothing left to do, or is asked to end by a signal that the application does not handle. A process that calls
 * `process.exit` itself has to shut the provider down before that. A collector that is away delays the end by the exporter's timeout at most.
 */
export function shutDownAtExit(service: ServiceMetrics): void {
  const end = async () => {
    try {
      await service.shutdown();
    } catch (error) {
      diag.warn(`streamgauge: ${StreamgaugeError.from(error).message}`);
    }
  };
  process.once('beforeExit', () => void end());
  for (const signal of signals) {
    const onSignal = () => {
      // Who else listens decides what becomes of the process; when it has nothing left to do, that is beforeExit.
      if (process.listenerCount(signal) > 1) return;
      void end().finally(() => {
        process.removeListener(signal, onSignal);
        process.kill(process.pid, signal);
      });
    };
    process.on(signal, onSignal);
  }
}
