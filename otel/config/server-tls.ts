/** TLS of an address that is listened on. Files are in PEM format. */
export interface ServerTlsConfig {
  /** The server's certificate, followed by those of intermediate authorities. */
  readonly certFile: string;
  /** The private key that belongs to it, not encrypted. */
  readonly keyFile: string;
  /** The authorities that sign clients' certificates. With it every client has to present one. */
  readonly clientCaFile: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** How often the files are looked at. */
  readonly reloadIntervalMs: number;
}

export const serverTlsDefaults = { minVersion: 'TLSv1.2', reloadIntervalMs: 10_000 } as const;
