import fc from 'fast-check';
import type { Session } from '../../../collector/sessions/session.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { FakeStream, type Value } from '../../model/fake-agent.ts';

// Valid sessions: what an agent sends that is in order, as bytes, with texts that nobody sensible would choose.

const hostileText = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '<script>alert(1)</script>',
  '\u001b[2J\u001b]0;title\u0007',
  'a\r\nb: c',
  '\0',
  '\ud800',
  '\u202e\u2066',
  '../../etc/passwd',
  '"} 1\n# EOF\n',
  '%s%n',
  'é'.repeat(100),
);
const text = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'le') },
  { weight: 1, arbitrary: hostileText },
);

const anyMetric: fc.Arbitrary<MetricDescription> = fc
  .record({
    name: fc.oneof(fc.constantFrom('requests', 'bad.metric'), hostileText),
    unit: fc.oneof(fc.constantFrom('', 's', 'By'), hostileText),
    description: text,
    kind: fc.constantFrom('sum' as const, 'gauge' as const, 'histogram' as const),
    isMonotonic: fc.boolean(),
    valueType: fc.constantFrom('int' as const, 'double' as const),
  })
  .map((each) =>
    metric({
      ...each,
      isMonotonic: each.kind === 'sum' && each.isMonotonic,
      ...(each.kind === 'histogram' && {
        explicitBounds: [1, 2],
        hasSum: true,
        valueType: 'double' as const,
      }),
    }),
  );

export type Step =
  | {
      readonly do: 'define';
      readonly metric: MetricDescription;
      readonly attributes: Readonly<Record<string, string>>;
      readonly group: number;
      readonly beganUs: number | undefined;
    }
  | { readonly do: 'report'; readonly group: number; readonly values: readonly number[] }
  | { readonly do: 'retire'; readonly which: number; readonly reason: 'gone' | 'idle' };

const anyValue = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 1, arbitrary: fc.double() },
);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      metric: anyMetric,
      attributes: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
      group: fc.nat(1),
      beganUs: fc.constantFrom(undefined, 1, -1000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      group: fc.nat(1),
      values: fc.array(anyValue, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('retire' as const),
      which: fc.nat(5),
      reason: fc.constantFrom('gone' as const, 'idle' as const),
    }),
  },
);

export interface Script {
  readonly memberId: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly saysGoodbye: boolean;
}

export const anyScript: fc.Arbitrary<Script> = fc.record({
  memberId: fc.oneof(
    fc.constantFrom('bad', 'worse'),
    hostileText.filter((each) => Buffer.byteLength(each) <= 256),
  ),
  resource: fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }),
  steps: fc.array(anyStep, { minLength: 4, maxLength: 20 }),
  saysGoodbye: fc.boolean(),
});

/** The messages of a script, coded as an agent codes them. The first is Hello. */
export function messagesOf({ memberId, resource, steps, saysGoodbye }: Script): Buffer[] {
  const messages: Buffer[] = [];
  const session = { receive: (bytes: Buffer) => void messages.push(Buffer.from(bytes)) };
  const stream = new FakeStream(() => session as unknown as Session);
  stream.hello(memberId, 1, attributes(resource));
  const defined: number[] = [];
  const held = new Map<number, Value>();
  const histograms = new Set<number>();
  let reports = 0;
  for (const step of steps) {
    switch (step.do) {
      case 'define': {
        const of = {
          metric: step.metric,
          attributes: attributes(step.attributes),
          group: step.group,
          isForeign: false,
        };
        const number = stream.define(of, step.metric.kind === 'gauge' ? '' : 'e', step.beganUs, 0);
        if (step.metric.kind === 'histogram') histograms.add(number);
        defined.push(number);
        break;
      }
      case 'report': {
        const group = stream.columns.groups.get(step.group);
        if (group === undefined) break;
        for (let place = 0; place < group.places; place++) {
          const value = step.values[place % step.values.length]!;
          const number = group.numberAt(place);
          held.set(number, histograms.has(number) ? [value, 0, 1, value] : value);
        }
        if (stream.report(step.group, 1_790_000_000_000_000 + reports * 1e6, held, reports + 1)) reports++;
        break;
      }
      case 'retire': {
        if (defined.length === 0) break;
        const [number] = defined.splice(step.which % defined.length, 1);
        stream.retire(number!, step.reason);
      }
    }
  }
  if (saysGoodbye) stream.goodbye(reports);
  return messages;
}
