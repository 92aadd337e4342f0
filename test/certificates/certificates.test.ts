import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { TestAuthority } from './certificates.ts';

test('what tests are certified with is read by others as it was meant', (t) => {
  const authority = new TestAuthority();
  const validTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 5000);
  const issued = authority.issue({
    dns: ['a.example'],
    uris: ['spiffe://example/b'],
    ips: ['127.0.0.1'],
    validTo,
  });
  const ca = new X509Certificate(authority.cert);
  const certificate = new X509Certificate(issued.cert);
  t.true(ca.ca);
  t.true(certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
  t.false(certificate.verify(new X509Certificate(new TestAuthority().cert).publicKey));
  t.is(certificate.subjectAltName, 'DNS:a.example, URI:spiffe://example/b, IP Address:127.0.0.1');
  t.deepEqual(certificate.validToDate, validTo);
});
