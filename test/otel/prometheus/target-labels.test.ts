import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { TargetLabels, targetInfoLabels } from '../../../otel/prometheus/target-labels.ts';

const resource = (from: Record<string, string>) => ({ attributes: attributes(from), schemaUrl: '' });

const identifies = test.macro({
  exec: (t, from: Record<string, string>, job: string, instance: string) => {
    const found = new TargetLabels({ writerId: 'writer' }).target(resource(from));
    t.is(found.job, job);
    t.is(found.instance, instance);
    t.is(found.labels, instance === '' ? `job="${job}"` : `job="${job}",instance="${instance}"`);
  },
  title: (_, from, job, instance) => `${JSON.stringify(from)} is ${job} ${instance}`,
});

test(identifies, { 'service.name': 'a', 'service.instance.id': 'i' }, 'a', 'i');
test(identifies, { 'service.name': 'a', 'service.namespace': 'n', 'service.instance.id': 'i' }, 'n/a', 'i');
test(identifies, { 'service.name': 'a' }, 'a', '');
test(identifies, { 'service.name': 'a', 'host.name': 'h' }, 'a', 'h');
test(identifies, { 'host.name': 'h', 'host.id': 'x' }, 'host', 'h');
test(identifies, { 'host.id': 'x' }, 'host', 'x');
test(identifies, { 'host.name': 'h', 'service.instance.id': 'i' }, 'host', 'i');
test(identifies, { 'container.id': 'c' }, 'unknown_service', 'c');
test(identifies, {}, 'unknown_service', '');

test(identifies, { 'service.instance.id': 'writer' }, 'streamgauge', 'writer');
test(identifies, { 'service.instance.id': 'writer', 'service.name': 'a' }, 'a', 'writer');
test(identifies, { 'service.instance.id': 'writer', 'host.name': 'h' }, 'streamgauge', 'writer/host.name=h');

test('resources that name nothing are told apart', (t) => {
  const targets = new TargetLabels();
  const one = targets.target(resource({ colour: 'red' }));
  const other = targets.target(resource({ colour: 'blue' }));
  t.regex(one.instance, /^[0-9a-f]{8}$/);
  t.not(one.instance, other.instance);
  t.deepEqual(targets.target(resource({ colour: 'red' })), one);
});

test('the first host keeps a name, a second one gets its identity behind it, until the first is long gone', (t) => {
  let now = 0;
  const targets = new TargetLabels({ now: () => now });
  const first = resource({ 'host.name': 'localhost', 'host.id': '1' });
  const second = resource({ 'host.name': 'localhost', 'host.id': '2' });
  t.is(targets.target(first).instance, 'localhost');
  const other = targets.target(second).instance;
  t.regex(other, /^localhost#[0-9a-f]{8}$/);

  t.is(
    targets.target(resource({ 'host.name': 'localhost', 'host.id': '1', 'os.version': 'new' })).instance,
    'localhost',
  );
  now = 3_599_999;
  t.is(targets.target(second).instance, other);
  now = 3_600_000;
  t.is(targets.target(second).instance, 'localhost');
  t.regex(targets.target(first).instance, /^localhost#/);
});

test('target_info has the attributes that job and instance do not say', (t) => {
  const labels = targetInfoLabels(
    resource({
      'service.name': 'a',
      'service.instance.id': 'i',
      'host.name': 'h',
      'os.type': 'linux',
      job: 'x',
      empty: '',
    }),
  );
  t.is(labels, ',exported_job="x",host_name="h",os_type="linux"');
});
