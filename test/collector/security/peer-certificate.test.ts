import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { certificateNames, peerCertificate } from '../../../collector/security/peer-certificate.ts';
import { type CertificateOptions, TestAuthority } from '../../certificates/certificates.ts';

const authority = new TestAuthority();
const certified = (options: CertificateOptions) => new X509Certificate(authority.issue(options).cert);

const hasNames = test.macro<[options: CertificateOptions, names?: Partial<CertificateOptions>]>({
  title: (_, options) => `names of ${JSON.stringify(options)}`,
  exec(t, options, names = options) {
    const { dns = [], uris = [] } = names;
    t.deepEqual(certificateNames(certified(options)), { dns, uris });
  },
});
test(hasNames, {});
test(hasNames, { dns: ['a.example', '*.b.example'], uris: ['spiffe://x/y', 'urn:z'], ips: ['10.0.0.1'] });
// Names that would be several if they were cut at what stands between names.
test(hasNames, { dns: ['a, DNS:admin', 'b", URI:spiffe://x/admin'] });
test(hasNames, { uris: ['spiffe://x/y, URI:spiffe://x/admin', 'u\\", DNS:admin'] });
test(hasNames, { dns: ['a\u0000b', 'c\nDNS:d'] });
test(hasNames, { dns: ['', 'a'] }, { dns: ['a'] });

test('an identity needs a certificate that this handshake has verified', (t) => {
  const certificate = certified({ dns: ['a'] });
  const socket = (more: object) =>
    ({
      authorized: true,
      authorizationError: null,
      isSessionReused: () => false,
      getPeerX509Certificate: () => certificate,
      ...more,
    }) as never;
  t.like(peerCertificate(socket({})), { names: { dns: ['a'] } });
  const causeOf = (more: object) => {
    const found = peerCertificate(socket(more));
    return 'denial' in found ? found.denial.cause : undefined;
  };
  t.is(causeOf({ authorized: false, authorizationError: 'CERT_UNTRUSTED' }), 'certificate_invalid');
  t.is(causeOf({ authorized: false }), 'certificate_invalid');
  t.is(causeOf({ isSessionReused: () => true }), 'certificate_invalid');
  t.is(causeOf({ getPeerX509Certificate: () => undefined }), 'certificate_missing');
  t.is(causeOf({ getPeerX509Certificate: undefined }), 'certificate_missing');
  const expired = certified({ dns: ['a'], validTo: new Date(Date.now() - 1) });
  t.is(causeOf({ getPeerX509Certificate: () => expired }), 'certificate_expired');
});
