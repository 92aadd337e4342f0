import { hostPort } from '../otel/config/addresses.ts';
import type { AdminFlags } from './ask-admin.ts';

/** Where a collector's admin port is, and what is presented there. */
export interface AdminAddressFlags extends AdminFlags {
  readonly host?: string;
  readonly adminPort?: number;
}

/** `HOST:PORT`. */
export function adminAddress({ host = '127.0.0.1', adminPort = 4319 }: AdminAddressFlags): string {
  return hostPort(host, adminPort);
}
