import type { ExecutionContext } from 'ava';
import { startHttpSink } from '../../sinks/http-sink.ts';
import type { OtlpSink } from '../../sinks/otlp-sink.ts';
import { forwardTo, type Otelcol, startOtelcol } from './otelcol.ts';

/** A real Collector that hands on everything to a sink of the test's own. Both end with the test. */
export async function otelcolWithSink(
  t: ExecutionContext,
  processors: Readonly<Record<string, unknown>> = {},
): Promise<{ otelcol: Otelcol; sink: OtlpSink }> {
  // Compiling it, the first time on a machine.
  t.timeout(15 * 60_000);
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const otelcol = await startOtelcol({ config: { processors, exporters: forwardTo(sink.url) } });
  t.teardown(() => otelcol.stop());
  return { otelcol, sink };
}
