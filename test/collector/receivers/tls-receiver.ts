import type { ExecutionContext } from 'ava';
import { type AuthConfig, authDefaults } from '../../../collector/config/auth-config.ts';
import type { ReceiverOptions } from '../../../collector/receivers/grpc-receiver.ts';
import { Access } from '../../../collector/security/access.ts';
import { Denials, denialCounters } from '../../../collector/security/denials.ts';
import { PortGuard } from '../../../collector/security/port-guard.ts';
import { ServerTls } from '../../../collector/security/server-tls.ts';
import type { ServerTlsConfig } from '../../../otel/config/server-tls.ts';
import { recordedLog } from '../../agent/recorded-log.ts';

/** What a port with TLS and tokens is made of, and what it tells. */
export function security(
  t: ExecutionContext,
  { tls, auth }: { tls?: Partial<ServerTlsConfig>; auth?: Partial<AuthConfig> },
) {
  const log = recordedLog();
  const counters = denialCounters();
  const access = new Access({ ...authDefaults, reloadIntervalMs: 20, ...auth }, log);
  access.start();
  t.teardown(() => access.stop());
  const denials = new Denials(counters, (fields, message) => log.warn(fields, message));
  const serverTls =
    tls === undefined
      ? undefined
      : new ServerTls(
          {
            certFile: '',
            keyFile: '',
            clientCaFile: undefined,
            minVersion: 'TLSv1.2',
            reloadIntervalMs: 20,
            ...tls,
          },
          'grpc',
          log,
        );
  const asksClients = serverTls?.asksClients ?? false;
  const guard = new PortGuard({ port: 'grpc', asksClients, access, denials });
  const options: Partial<ReceiverOptions> = { tls: serverTls, guard };
  return { log, counters, tls: serverTls, guard, options };
}
