import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is refused, as a sentence for its sender, or `undefined`. */
export type Guard = (request: IncomingMessage) => string | undefined;

/**
 * A page of any web site can make a browser send requests to this machine's loopback under a name of its own (DNS rebinding), and
 * read the answers. Whoever asks a loopback listener for another host than this one is refused.
 */
export const refuseForeignHost: Guard = (request) => {
  const host = request.headers.host;
  if (host === undefined || isLoopbackName(hostName(host))) return undefined;
  return `This address answers requests for localhost only, not for ${JSON.stringify(host.slice(0, 100))}.`;
};

/** Refuses requests that pages of other origins make: an Origin that is not this server itself. */
export const refuseForeignOrigin: Guard = (request) => {
  const { origin, host } = request.headers;
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  if (origin === undefined || origin === `${scheme}://${host}`) return undefined;
  return `Requests from pages of ${JSON.stringify(origin.slice(0, 100))} are refused.`;
};

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
