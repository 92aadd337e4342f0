import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is refused, as a sentence for its sender. */
export interface GuardProblem {
  readonly cause: 'host' | 'origin';
  readonly reason: string;
}

export interface RequestGuardOptions {
  /** Only this machine reaches the address that is listened on. */
  readonly isLoopback: boolean;
  /** Names and addresses in lower case, without ports and brackets, that requests may be for; none: any, but on loopback. */
  readonly allowedHosts: readonly string[];
}

/**
 * A page of any web site can make a browser send requests to this machine's loopback, or into its network, under a name of its own (DNS
 * rebinding), and read the answers. So whoever asks a loopback listener for another host than this one is refused, and elsewhere for one that
 * is not among those that are allowed where there are some; and pages of other origins are refused everywhere.
 */
export class RequestGuard {
  readonly #options: RequestGuardOptions;
  readonly #allowed: ReadonlySet<string>;

  constructor(options: RequestGuardOptions) {
    this.#options = options;
    this.#allowed = new Set(options.allowedHosts);
  }

  problem(request: IncomingMessage): GuardProblem | undefined {
    return this.#hostProblem(request) ?? this.#originProblem(request);
  }

  #hostProblem({ headers }: IncomingMessage): GuardProblem | undefined {
    const { host } = headers;
    const { isLoopback } = this.#options;
    if (host === undefined || (!isLoopback && this.#allowed.size === 0)) return undefined;
    const name = hostName(host);
    if (this.#allowed.has(name) || (isLoopback && isLoopbackName(name))) return undefined;
    const which = isLoopback ? 'localhost only' : 'the names in allowed_hosts only';
    const more = isLoopback && this.#allowed.size > 0 ? ' and the names in allowed_hosts' : '';
    return {
      cause: 'host',
      reason: `This address answers requests for ${which}${more}, not for ${quoted(host)}.`,
    };
  }

  #originProblem({ headers, socket }: IncomingMessage): GuardProblem | undefined {
    const { origin, host } = headers;
    const scheme = 'encrypted' in socket ? 'https' : 'http';
    if (origin === undefined || origin === `${scheme}://${host}`) return undefined;
    const name = /^https?:\/\/(.*)$/.exec(origin)?.[1];
    if (name !== undefined && this.#allowed.has(hostName(name))) return undefined;
    return { cause: 'origin', reason: `Requests from pages of ${quoted(origin)} are refused.` };
  }
}

/** Whether other machines cannot reach an address. */
export function isLoopbackAddress(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address.startsWith('::ffff:127.');
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopbackAddress(name);
}

/** The host of a Host header, without port and brackets, in lower case. */
function hostName(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?$/.exec(header);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/** Harmless in a log and on a terminal: JSON leaves no control characters, and the rest of the line is short. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
