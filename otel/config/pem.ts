import { createPrivateKey, X509Certificate } from 'node:crypto';

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** What PEM is, in words that never hold any of it. */
export type PemProblem = string;

/** The certificates in a PEM text, or what is wrong with it. */
export function certificates(pem: Buffer): readonly X509Certificate[] | PemProblem {
  const blocks = [...pem.toString('latin1').matchAll(block)].filter(([, label]) => isCertificate(label!));
  if (blocks.length === 0) return 'holds no certificate in PEM format (-----BEGIN CERTIFICATE-----)';
  const read: X509Certificate[] = [];
  for (const [index, [text]] of blocks.entries()) {
    try {
      read.push(new X509Certificate(text));
    } catch {
      // What the library says may hold bytes of the file.
      return `holds a certificate that cannot be read, the ${index + 1}. of ${blocks.length}`;
    }
  }
  return read;
}

/** What is wrong with a private key for a certificate, or `undefined`. */
export function privateKeyProblem(pem: Buffer, certificate: X509Certificate): PemProblem | undefined {
  const text = pem.toString('latin1');
  const label = [...text.matchAll(block)].map(([, name]) => name!).find((name) => /PRIVATE KEY$/.test(name));
  if (label === undefined) return 'holds no private key in PEM format (-----BEGIN PRIVATE KEY-----)';
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(text))
    return 'holds an encrypted private key; decrypt it, as with openssl pkey, and protect the file instead';
  try {
    if (certificate.checkPrivateKey(createPrivateKey(pem))) return undefined;
  } catch {
    return 'holds a private key that cannot be read';
  }
  return 'holds the private key of another certificate';
}

function isCertificate(label: string): boolean {
  return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE';
}
