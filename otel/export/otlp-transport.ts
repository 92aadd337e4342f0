import { createOtlpNetworkExportDelegate, ExporterMetrics } from '@opentelemetry/otlp-exporter-base';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';

/** How bytes get to a backend: gRPC or HTTP. One try; never rejects. */
export interface OtlpTransport {
  send(bytes: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<SendResult>;
  close(): void;
}

interface Outgoing {
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
  result: SendResult | undefined;
}

/** Requests of one sender that may be under way at a time; a reader has one. */
const concurrencyLimit = 16;

/**
 * A sender over OpenTelemetry's export delegate, with a transport of ours under it. The stock transports pass neither a cancellation,
 * nor Retry-After, nor the limit of gRPC's reconnection delay, which grows to two minutes; the delegate for a network
 * is the layer below them that takes any transport. Its serializer is the identity: requests come encoded.
 */
export function delegateSender(transport: OtlpTransport, timeoutMs: number, shownUrl: string): RequestSender {
  // The delegate serialises and sends in one synchronous go, so this is the request that the transport is given.
  let current: Outgoing | undefined;
  const delegate = createOtlpNetworkExportDelegate<Outgoing, undefined>(
    { timeoutMillis: timeoutMs, concurrencyLimit, compression: 'none' },
    {
      serializeRequest(outgoing) {
        current = outgoing;
        return outgoing.bytes;
      },
      deserializeResponse: () => undefined,
    },
    new ExporterMetrics<Outgoing>({
      componentType: 'streamgauge_otlp_metric_exporter',
      // Readers count their points themselves; without a meter provider these count nothing.
      metricsHelper: { name: 'metric_data_point', countItems: () => 0 },
      url: shownUrl,
      meterProvider: undefined,
      responseAttributesFromError: () => ({}),
    }),
    {
      async send(bytes, attemptTimeoutMs) {
        const outgoing = current!;
        outgoing.result = await transport.send(bytes, attemptTimeoutMs, outgoing.signal);
        return outgoing.result.kind === 'success'
          ? { status: 'success' }
          : { status: 'failure', error: outgoing.result.error };
      },
      shutdown: () => transport.close(),
    },
  );
  return {
    send(bytes, signal) {
      return new Promise((resolve) => {
        const outgoing: Outgoing = { bytes, signal, result: undefined };
        delegate.export(outgoing, ({ error }) => {
          const message = error?.message ?? 'the export ended without a result';
          resolve(outgoing.result ?? { kind: 'retryable', error: new SendError(message, 'NOT_SENT') });
        });
      });
    },
    // The delegate's own shutdown waits for what is under way, however long that takes.
    close: () => transport.close(),
  };
}
