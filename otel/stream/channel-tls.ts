import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { StreamgaugeError } from '../../proto/error.ts';
import { fileFault, shownTokenPath } from '../config/file-fault.ts';
import { certificates, privateKeyProblem } from '../config/pem.ts';
import { tokenLines } from '../config/token-lines.ts';
import type { EndNames } from './end-names.ts';

/** TLS of the connection to a collector. Files are in PEM format and are read for each connection. */
export interface ChannelTls {
  /** The authorities that sign the collector's certificate. `undefined`: the system's. */
  readonly caFile?: string | undefined;
  /** This end's own certificate and its private key; both or neither. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the collector's certificate has to have. `undefined`: the host that is connected to. */
  readonly serverName?: string | undefined;
}

/**
 * The first token in a file of tokens, read anew for each connection.
 * @throws StreamgaugeError `config` naming the file, what is wrong with it and what helps
 */
export function firstToken(tokenFile: string, names: EndNames): string {
  const content = contentOf(tokenFile, (what) => tokenProblem(tokenFile, names, what));
  const tokens = tokenLines(content.toString('utf8'));
  if (typeof tokens === 'string') throw tokenProblem(tokenFile, names, tokens);
  return tokens[0];
}

/**
 * Reads what the next TLS connection presents and trusts, so that it has what the files hold by then.
 * @throws StreamgaugeError `config` naming the file, what is wrong with it and what helps
 */
export function secureContext({ caFile, certFile, keyFile }: ChannelTls, names: EndNames): SecureContext {
  const ca = caFile === undefined ? undefined : read(names.caFile, caFile);
  if (ca !== undefined) certificatesOf(names.caFile, caFile!, ca);
  if (certFile === undefined || keyFile === undefined) return createSecureContext({ ca });
  const cert = read(names.certFile, certFile);
  const key = read(names.keyFile, keyFile);
  const [own] = certificatesOf(names.certFile, certFile, cert);
  const wrong = privateKeyProblem(key, own!);
  if (wrong !== undefined) throw problem(names.keyFile, keyFile, wrong);
  try {
    return createSecureContext({ ca, cert, key });
  } catch {
    throw problem(names.certFile, certFile, 'cannot be used with its key');
  }
}

function certificatesOf(setting: string, file: string, pem: Buffer) {
  const read = certificates(pem);
  if (typeof read === 'string') throw problem(setting, file, read);
  return read;
}

function read(setting: string, file: string): Buffer {
  return contentOf(file, (what) => problem(setting, file, what));
}

function contentOf(file: string, problemOf: (what: string) => StreamgaugeError): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw problemOf(`cannot be read: ${fileFault(error)}`);
  }
}

function tokenProblem(file: string, { tokenFile }: EndNames, what: string): StreamgaugeError {
  return new StreamgaugeError('config', `${tokenFile} ${shownTokenPath(file)} ${what}`);
}

function problem(setting: string, file: string, what: string): StreamgaugeError {
  return new StreamgaugeError('config', `${setting} ${file} ${what}`);
}
