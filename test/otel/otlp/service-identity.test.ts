import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { serviceIdentity } from '../../../otel/otlp/service-identity.ts';

const of = (from: Record<string, string | bigint>) =>
  serviceIdentity({ attributes: attributes(from), schemaUrl: '' });
const uuid = '7BFA5D3C-1f7a-4f0c-9a52-6a2c2f1f9c11';

test('an instance that is a UUID stands for itself, any other behind its service', (t) => {
  t.deepEqual(of({ 'service.name': 'shop', 'service.instance.id': uuid, 'host.name': 'h' }), {
    id: uuid.toLowerCase(),
    from: 'instance',
  });
  t.is(of({ 'service.name': 'shop', 'service.instance.id': '7' }).id, 'shop/7');
  t.is(of({ 'service.namespace': 'eu', 'service.name': 'shop', 'service.instance.id': '7' }).id, 'eu/shop/7');
});

test('without an instance it is the service on its host', (t) => {
  const service = { 'service.name': 'shop', 'host.name': 'web-3' };
  t.deepEqual(of(service), { id: 'shop@web-3', from: 'host' });
  t.is(of({ ...service, 'host.id': 'f00' }).id, 'shop@f00');
  t.is(of({ ...service, 'process.pid': 5n }).id, 'shop@web-3');
});

test('with neither it is the whole resource', (t) => {
  const one = of({ 'service.name': 'shop' });
  t.is(one.from, 'resource');
  t.regex(one.id, /^resource:[0-9a-f]{32}$/);
  t.is(of({ 'service.name': 'shop' }).id, one.id);
  t.not(of({ 'service.name': 'shop', 'process.pid': 5n }).id, one.id);
  t.is(of({}).from, 'resource');
  t.is(of({ 'host.name': 'h' }).from, 'resource');
  t.is(of({ 'service.name': 'shop', 'service.instance.id': 7n }).from, 'resource');
});

test('no two identities are written alike, and long ones stay short', (t) => {
  const ids = [
    of({ 'service.name': 'a/b', 'service.instance.id': 'c' }),
    of({ 'service.namespace': 'a', 'service.name': 'b', 'service.instance.id': 'c' }),
    of({ 'service.name': 'a', 'service.instance.id': 'b/c' }),
    of({ 'service.name': 'a@b', 'host.name': 'c' }),
    of({ 'service.name': 'a', 'host.name': 'b@c' }),
    of({ 'service.name': 'a%40b', 'host.name': 'c' }),
    of({ 'service.name': 'x'.repeat(300), 'service.instance.id': 'c' }),
    of({ 'service.name': `${'x'.repeat(300)}y`, 'service.instance.id': 'c' }),
  ].map(({ id }) => id);
  t.is(new Set(ids).size, ids.length);
  t.true(ids.every((id) => id.length < 650));
});
