import { hostPort } from '../../otel/config/addresses.ts';
import { StreamgaugeError } from '../../proto/error.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this host name is not known',
  EAI_AGAIN: 'this host name cannot be looked up at present',
};

/** Why a listener cannot have its address, and what to change. Kind `config`. */
export function listenError(
  thrown: unknown,
  where: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly portSetting: string;
  },
): StreamgaugeError {
  const { code = '', message = String(thrown) } = (thrown ?? {}) as { code?: string; message?: string };
  return new StreamgaugeError(
    'config',
    `The ${where.name} server cannot listen on ${hostPort(where.host, where.port)}: ${reasons[code] ?? message}. Choose another with ${where.portSetting}.`,
    { cause: thrown },
  );
}
