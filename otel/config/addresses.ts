import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/** A host to listen on or to connect to, without the brackets of IPv6. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Whether a host is an IP address or may be a name in the DNS. */
export function isHost(host: string): boolean {
  const bare = bareHost(host);
  return isIP(bare) !== 0 || (host === bare && /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(host));
}

/** Whether only this machine can reach a host: `localhost`, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const bare = plain(host);
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Whether a host is this machine: loopback, an unspecified address, its name, an address of one of its interfaces. */
export function isThisMachine(host: string): boolean {
  const bare = plain(host);
  if (isLoopback(bare) || bare === '0.0.0.0' || bare === '::' || bare === hostname().toLowerCase())
    return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === bare));
}

function plain(host: string): string {
  return bareHost(host)
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '');
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  const bare = bareHost(host);
  return isIP(bare) === 6 ? `[${bare}]:${port}` : `${bare}:${port}`;
}
