import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { fileFault, shownTokenPath } from '../../otel/config/file-fault.ts';
import { certificates, privateKeyProblem } from '../../otel/config/pem.ts';
import { tokenLines } from '../../otel/config/token-lines.ts';
import { StreamgaugeError } from '../../proto/error.ts';

/** TLS of the connection to a collector. Files are in PEM format and are read for each connection. */
export interface ChannelTls {
  /** The authorities that sign the collector's certificate. `undefined`: the system's. */
  readonly caFile?: string | undefined;
  /** The agent's own certificate and its private key; both or neither. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the collector's certificate has to have. `undefined`: the host that is connected to. */
  readonly serverName?: string | undefined;
}

/** What a connection presents. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly metadata: Metadata;
}

/**
 * Reads what the next connection presents, so that it has what the files hold by then.
 * @throws StreamgaugeError `config` naming the file, what is wrong with it and what helps
 */
export function channelSecurity(tls: ChannelTls | undefined, tokenFile: string | undefined): ChannelSecurity {
  const metadata = new Metadata();
  if (tokenFile !== undefined) {
    const tokens = tokenLines(contentOf('token_file', tokenFile).toString('utf8'));
    if (typeof tokens === 'string') throw problem('token_file', tokenFile, tokens);
    metadata.set('authorization', `Bearer ${tokens[0]}`);
  }
  return {
    credentials:
      tls === undefined
        ? credentials.createInsecure()
        : credentials.createFromSecureContext(secureContext(tls)),
    metadata,
  };
}

function secureContext({ caFile, certFile, keyFile }: ChannelTls): SecureContext {
  const ca = caFile === undefined ? undefined : contentOf('ca_file', caFile);
  if (ca !== undefined) certificatesOf('ca_file', caFile!, ca);
  if (certFile === undefined || keyFile === undefined) return createSecureContext({ ca });
  const cert = contentOf('cert_file', certFile);
  const key = contentOf('key_file', keyFile);
  const [own] = certificatesOf('cert_file', certFile, cert);
  const wrong = privateKeyProblem(key, own!);
  if (wrong !== undefined) throw problem('key_file', keyFile, wrong);
  try {
    return createSecureContext({ ca, cert, key });
  } catch {
    throw problem('cert_file', certFile, 'cannot be used with its key');
  }
}

function certificatesOf(key: string, file: string, pem: Buffer) {
  const read = certificates(pem);
  if (typeof read === 'string') throw problem(key, file, read);
  return read;
}

function contentOf(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw problem(key, file, `cannot be read: ${fileFault(error)}`);
  }
}

function problem(key: string, file: string, what: string): StreamgaugeError {
  if (key === 'token_file')
    return new StreamgaugeError('config', `collector.token_file ${shownTokenPath(file)} ${what}`);
  return new StreamgaugeError('config', `collector.tls.${key} ${file} ${what}`);
}
