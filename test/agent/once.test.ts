import test from 'ava';
import { collectionOf } from '../../agent/once.ts';
import { SamplingGroup } from '../../agent/state/sampling-group.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { metric } from '../../otel/model/metric.ts';
import { emptyScope } from '../../otel/model/scope.ts';
import { PointBatch } from '../../otel/state/point-batch.ts';

test('groups become resources, scopes and metric streams with their points', (t) => {
  const fast = new SamplingGroup(0, 1000, 'x');
  const slow = new SamplingGroup(1, 10_000, 'x');
  fast.timeUs = 111;
  slow.timeUs = 222;
  const own = { attributes: attributes({ host: 'h' }), schemaUrl: '' };
  const other = { attributes: attributes({ service: 's' }), schemaUrl: '' };
  const scope = { ...emptyScope, name: 'scope' };
  const sum = { scope, metric: metric({ name: 'sum', kind: 'sum' as const, isMonotonic: true }) };
  // Another object that says the same belongs to the same stream.
  const sameSum = { scope: { ...scope }, metric: metric({ name: 'sum', kind: 'sum', isMonotonic: true }) };
  fast.set(fast.define({ ...sum, attributes: attributes({ i: 'a' }), startTimeUs: 5 }), 1);
  const gone = fast.define({ ...sum, attributes: attributes({ i: 'gone' }) });
  fast.set(fast.define({ ...sum, resource: other, attributes: attributes({ i: 'b' }) }), 2);
  fast.retire(gone, 'gone');
  slow.set(slow.define({ ...sameSum, attributes: attributes({ i: 'c' }) }), 3);
  const gauge = { scope: emptyScope, metric: metric({ name: 'gauge', kind: 'gauge' as const }) };
  slow.set(slow.define({ ...gauge, attributes: attributes({}) }), 4.5);

  const batch = new PointBatch();
  const { resources } = collectionOf([fast, slow], own, 999);
  t.is([...resources].length, 2);
  const seen = [...resources].map(({ resource, scopes }) => ({
    resource: resource.attributes,
    scopes: scopes.map((one) => ({
      name: one.scope.name,
      streams: one.streams.map((stream) => {
        stream.read(batch, 0);
        return {
          name: stream.metric.name,
          temporality: stream.temporality,
          points: Array.from({ length: batch.size }, (_, i) => [
            batch.seriesAttributes[i]!.attributes[0]?.[1],
            batch.values[i],
            batch.timeUs[i],
            batch.startTimeUs[i],
          ]),
        };
      }),
    })),
  }));
  t.deepEqual(seen, [
    {
      resource: own.attributes,
      scopes: [
        {
          name: 'scope',
          streams: [
            {
              name: 'sum',
              temporality: 'cumulative',
              points: [
                ['a', 1, 111, 5],
                ['c', 3, 222, 0],
              ],
            },
          ],
        },
        {
          name: '',
          streams: [{ name: 'gauge', temporality: undefined, points: [[undefined, 4.5, 222, 0]] }],
        },
      ],
    },
    {
      resource: other.attributes,
      scopes: [
        { name: 'scope', streams: [{ name: 'sum', temporality: 'cumulative', points: [['b', 2, 111, 0]] }] },
      ],
    },
  ]);
});
