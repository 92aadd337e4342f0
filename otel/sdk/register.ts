// `node --import streamgauge/otel/register SERVICE.js`: measures the process, takes what it records by the OpenTelemetry API, and streams it to a
// collector. Nothing here makes a service fail: what cannot be is said by OpenTelemetry's diagnostic logger.
import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { StreamgaugeError } from '../../proto/error.ts';
import { registerSettings } from './register/environment.ts';
import { shutDownAtExit } from './register/exit.ts';
import { startServiceMetrics } from './register/service-metrics.ts';

/** Without OTEL_LOG_LEVEL what needs somebody is told, and nothing else. */
const level = DiagLogLevel[process.env.OTEL_LOG_LEVEL?.trim().toUpperCase() as keyof typeof DiagLogLevel];
diag.setLogger(new DiagConsoleLogger(), {
  logLevel: level ?? DiagLogLevel.WARN,
  suppressOverrideMessage: true,
});

const wanted = registerSettings(process.env);
if (wanted.kind === 'stream') {
  for (const warning of wanted.warnings) diag.warn(`streamgauge: ${warning}`);
  try {
    shutDownAtExit(startServiceMetrics(wanted.settings));
  } catch (error) {
    diag.error(`streamgauge: nothing is exported: ${StreamgaugeError.from(error).message}`);
  }
} else if (wanted.why !== undefined) {
  diag.warn(`streamgauge: ${wanted.why}`);
}
