import type { MetricReaderConfig } from '../../otel/config/metric-readers.ts';
import type { ServerTlsConfig } from '../../otel/config/server-tls.ts';

interface AuthKeys {
  readonly auth?: {
    readonly clients?: readonly { readonly name: string }[] | undefined;
    readonly tokens?: readonly { readonly name: string }[] | undefined;
    readonly without_token: readonly unknown[];
  };
  readonly grpc?: { readonly tls?: ServerTlsConfig | undefined };
  readonly http?: { readonly tls?: ServerTlsConfig | undefined };
  readonly admin?: { readonly tls?: ServerTlsConfig | undefined };
  readonly meter_provider?: { readonly readers?: readonly MetricReaderConfig[] | undefined } | undefined;
}

/** What of `auth` contradicts itself or the ports. */
export function checkAuth(
  valid: AuthKeys,
  report: (path: readonly (string | number)[], message: string) => void,
): void {
  const { auth, grpc, http, admin, meter_provider } = valid;
  if (auth === undefined) return;
  const ports = [grpc, http, admin, ...(meter_provider?.readers ?? []).filter(isPull)];
  const isAsked = ports.some((port) => port?.tls?.clientCaFile !== undefined);
  // A port whose own keys are wrong has been reported, and may be the one that asks.
  const isKnown = grpc !== undefined && http !== undefined && admin !== undefined;
  if (auth.clients !== undefined && isKnown && !isAsked)
    report(
      ['auth', 'clients'],
      'no port asks for certificates; allowed: with tls.client_ca_file in grpc, http or admin',
    );
  if (auth.without_token.length > 0 && auth.tokens === undefined)
    report(['auth', 'without_token'], 'nothing asks for a token; allowed: with tokens beside it');
  const names = new Set<string>();
  for (const [index, { name }] of (auth.tokens ?? []).entries()) {
    if (names.has(name)) report(['auth', 'tokens', index, 'name'], 'allowed: a name that no other entry has');
    names.add(name);
  }
}

function isPull(reader: MetricReaderConfig) {
  return reader.kind === 'prometheus';
}
