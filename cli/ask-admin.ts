import { readFileSync } from 'node:fs';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../otel/config/config-error.ts';
import { fileFault, shownTokenPath } from '../otel/config/file-fault.ts';
import { tokenLines } from '../otel/config/token-lines.ts';
import { StreamgaugeError } from '../proto/error.ts';

/** What is presented to an admin port. With any of the files of TLS it is asked over TLS. */
export interface AdminFlags {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
}

/** A reload may wait for a moment when nothing is read. */
const timeoutMs = 90_000;
const maxAnswerBytes = 256 * 1024 * 1024;

/**
 * Asks a collector's admin port and gives the answer's text.
 * @throws StreamgaugeError saying what does not work and what helps
 */
export async function askAdmin(
  address: string,
  path: string,
  flags: AdminFlags,
  method: 'GET' | 'POST' = 'GET',
): Promise<string> {
  const { caFile, certFile, keyFile, tokenFile } = flags;
  const isTls = [caFile, certFile, keyFile].some((file) => file !== undefined);
  const options: RequestOptions & { ca?: Buffer; cert?: Buffer; key?: Buffer } = {
    method,
    headers: tokenFile === undefined ? {} : { authorization: `Bearer ${tokenOf(tokenFile)}` },
    signal: AbortSignal.timeout(timeoutMs),
    ...(caFile !== undefined && { ca: contentOf('--ca-file', caFile) }),
    ...(certFile !== undefined && { cert: contentOf('--cert-file', certFile) }),
    ...(keyFile !== undefined && { key: contentOf('--key-file', keyFile) }),
  };
  let answer: { status: number; body: string };
  try {
    answer = await ask(`${isTls ? 'https' : 'http'}://${address}${path}`, options);
  } catch (error) {
    const { message } = error as Error;
    throw new StreamgaugeError(
      'unavailable',
      isTls
        ? `no collector answers over TLS at ${address} (${message}); check --host, --admin-port and --ca-file`
        : `no collector answers at ${address}; start one, or give its address with --host and --admin-port, and --ca-file where it speaks TLS`,
      { cause: error },
    );
  }
  if (answer.status === 200) return answer.body;
  throw new StreamgaugeError('invalid_data', `the collector at ${address} says: ${answer.body.trim()}`);
}

function ask(url: string, options: RequestOptions): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const start = url.startsWith('https:') ? httpsRequest : httpRequest;
    const call = start(url, options, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxAnswerBytes)
          response.destroy(new Error(`an answer of more than ${maxAnswerBytes} bytes`));
      });
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    call.on('error', reject);
    call.end();
  });
}

function tokenOf(file: string): string {
  const tokens = tokenLines(contentOf('--token-file', file).toString('utf8'));
  if (typeof tokens === 'string') throw ConfigError.of(shownTokenPath(file), tokens, '--token-file');
  return tokens[0]!;
}

function contentOf(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const shown = flag === '--token-file' ? shownTokenPath(file) : file;
    throw ConfigError.of(shown, `cannot be read: ${fileFault(error)}`, flag);
  }
}
