import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, boolean, integer, octets, oid, sequence, set, tagged, time, utf8 } from './der.ts';

/** A certificate and its private key, PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  /** IPv4. */
  readonly ips?: readonly string[];
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

const hour = 3_600_000;
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** An authority made for a test, which issues certificates (X.509, RFC 5280; keys on P-256). */
export class TestAuthority {
  readonly #key: KeyObject;
  readonly #name: Buffer;
  /** Its own certificate, PEM. */
  readonly cert: string;

  constructor(name = 'test authority') {
    const { privateKey } = newKey();
    this.#key = privateKey;
    this.#name = nameOf(name);
    this.cert = this.#certificate(this.#name, privateKey, {}, [
      extension('2.5.29.19', sequence(boolean(true)), true),
    ]);
  }

  /** A certificate for a server or client, on this machine's loopback unless told otherwise. */
  issue(options: CertificateOptions = { dns: ['localhost'], ips: ['127.0.0.1'] }): Issued {
    const { privateKey } = newKey();
    const names = [
      ...(options.dns ?? []).map((name) => tagged(0x82, Buffer.from(name))),
      ...(options.uris ?? []).map((uri) => tagged(0x86, Buffer.from(uri))),
      ...(options.ips ?? []).map((ip) => tagged(0x87, Buffer.from(ip.split('.').map(Number)))),
    ];
    const extensions = names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))];
    const cert = this.#certificate(nameOf('test peer'), privateKey, options, extensions);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  #certificate(
    subject: Buffer,
    key: KeyObject,
    { validFrom, validTo }: CertificateOptions,
    extensions: readonly Buffer[],
  ): string {
    const from = validFrom ?? new Date(Date.now() - hour);
    const to = validTo ?? new Date(Date.now() + 24 * hour);
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const body = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.from([0x40, ...randomBytes(8)])),
      ecdsaWithSha256,
      this.#name,
      sequence(time(from), time(to)),
      subject,
      publicKey,
      ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(...extensions))]),
    );
    const der = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, this.#key)));
    const lines = der.toString('base64').match(/.{1,64}/g)!;
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octets(value));
}
