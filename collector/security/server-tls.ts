import { constants, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { certificates, privateKeyProblem } from '../../otel/config/pem.ts';
import type { ServerTlsConfig } from '../../otel/config/server-tls.ts';
import { fileProblem, type WatchedFile, WatchedFiles } from './watched-files.ts';

export interface ServerTlsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Loaded {
  readonly context: SecureContextOptions;
  readonly expiresMs: number;
}

/**
 * TLS of one port, from files that are read again when they change: new connections then have the new certificates, and open ones stay. A
 * client without a certificate that verifies is let through the handshake, so that it can be told what is wrong: who serves it asks
 * {@link peerCertificate} before anything else.
 */
export class ServerTls {
  readonly asksClients: boolean;
  readonly #files: WatchedFiles<Loaded>;
  readonly #port: string;
  readonly #log: ServerTlsLog;
  readonly #apply = new Set<(context: SecureContextOptions) => void>();

  /** @param port of the configuration: `grpc`. @throws ConfigError naming the file that cannot be used */
  constructor(config: ServerTlsConfig, port: string, log: ServerTlsLog) {
    this.#port = port;
    this.#log = log;
    this.asksClients = config.clientCaFile !== undefined;
    const file = (key: string, path: string): WatchedFile => ({
      key: `${port}.tls.${key}`,
      path,
      shown: path,
    });
    const files = [
      file('cert_file', config.certFile),
      file('key_file', config.keyFile),
      ...(config.clientCaFile === undefined ? [] : [file('client_ca_file', config.clientCaFile)]),
    ];
    this.#files = new WatchedFiles<Loaded>({
      files,
      intervalMs: config.reloadIntervalMs,
      read: (contents) => load(files, contents, config.minVersion),
      onChange: ({ context, expiresMs }) => {
        for (const apply of this.#apply) apply(context);
        log.info(this.#fields(expiresMs), 'TLS files were read again; new connections have what they hold');
        this.#warnOfExpiry();
      },
      onBroken: (error) =>
        log.error(
          { port, problem: error.message },
          'TLS files have changed and cannot be used; what they held before goes on',
        ),
    });
  }

  /** For the making of a server. */
  get options() {
    return {
      ...this.#files.value.context,
      requestCert: this.asksClients,
      rejectUnauthorized: false,
    };
  }

  get context(): SecureContextOptions {
    return this.#files.value.context;
  }

  /** Begins to look at the files, and gives what they come to after each change to a server. */
  start(apply: (context: SecureContextOptions) => void): void {
    this.#apply.add(apply);
    this.#files.start();
    this.#warnOfExpiry();
  }

  stop(): void {
    this.#files.stop();
    this.#apply.clear();
  }

  #warnOfExpiry(): void {
    const { expiresMs } = this.#files.value;
    if (expiresMs < Date.now())
      this.#log.warn(
        this.#fields(expiresMs),
        'the certificate of a port has expired: clients will refuse it; put a new one in its file',
      );
  }

  #fields(expiresMs: number): object {
    return { port: this.#port, expires: new Date(expiresMs).toISOString() };
  }
}

function load(
  files: readonly WatchedFile[],
  contents: readonly Buffer[],
  minVersion: ServerTlsConfig['minVersion'],
): Loaded {
  const [certFile, keyFile, caFile] = files as [WatchedFile, WatchedFile, WatchedFile?];
  const [cert, key, ca] = contents as [Buffer, Buffer, Buffer?];
  const [certificate] = certificatesOf(certFile, cert);
  const problem = privateKeyProblem(key, certificate!);
  if (problem !== undefined) throw fileProblem(keyFile, problem);
  if (caFile !== undefined) certificatesOf(caFile, ca!);
  const context: SecureContextOptions = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    minVersion,
    // A session that is resumed is not verified again: who asks for certificates resumes none.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (ca === undefined ? 0 : constants.SSL_OP_NO_TICKET),
  };
  try {
    createSecureContext(context);
  } catch {
    throw fileProblem(certFile, 'cannot be used with its key');
  }
  return { context, expiresMs: certificate!.validToDate.getTime() };
}

function certificatesOf(file: WatchedFile, pem: Buffer): readonly X509Certificate[] {
  const read = certificates(pem);
  if (typeof read === 'string') throw fileProblem(file, read);
  return read;
}
