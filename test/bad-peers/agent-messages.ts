import { attributesToWire } from '../../otel/model/any-value.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { encodeAgentMessage, type Hello } from '../../proto/messages/agent-message.ts';
import type { Define } from '../../proto/messages/define.ts';

// Messages that are in order, to put others between.

let members = 0;

/** A Hello of a member that there was not before, unless it says otherwise. */
export function hello(more: Partial<Hello> = {}): Buffer {
  return encodeAgentMessage({
    type: 'hello',
    protocolVersion: 1,
    memberId: `bad-${members++}`,
    incarnation: Buffer.alloc(16, 1),
    bootId: 'boot',
    resource: [],
    resourceSchemaUrl: '',
    capabilities: [],
    clockUs: 0,
    lastAck: undefined,
    userAgent: 'bad',
    ackDelayMs: 0,
    ...more,
  });
}

/** The definition of sums, one for each set of attributes, with the numbers 1, 2, … */
export function define(
  series: readonly Readonly<Record<string, string>>[] = [{}],
  name = 'bad.metric',
  first = 1,
): Buffer {
  const message: Define = {
    type: 'define',
    resources: [],
    scopes: [],
    metrics: [
      {
        number: first,
        scope: 0,
        name,
        unit: '',
        description: '',
        kind: 'gauge',
        isMonotonic: false,
        valueType: 'double',
        explicitBounds: [],
        quantiles: [],
        hasSum: false,
        hasMin: false,
        hasMax: false,
      },
    ],
    epochs: [],
    series: series.map((each, i) => ({
      number: first + i,
      resource: 0,
      metric: first,
      attributes: attributesToWire(attributes(each)),
      group: 0,
      epoch: 0,
      startTimeUs: 0,
    })),
  };
  return encodeAgentMessage(message);
}

export const goodbye = encodeAgentMessage({ type: 'goodbye', lastReport: 0 });
export const retire = (...series: readonly number[]): Buffer =>
  encodeAgentMessage({ type: 'retire', series, reason: 'gone' });

/** A field of bytes, as protobuf writes it; `length` says how many it claims to be. */
export function field(number: number, bytes: Uint8Array, length = bytes.length): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(length), bytes]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  bytes.push(value);
  return Buffer.from(bytes);
}

/** A message whose field is itself, so deep. */
export function nested(fields: readonly number[], depth: number): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  // From the inside; each level copies what is in it, so that the depth is kept to what a test needs.
  for (let i = 0; i < depth; i++) for (const number of fields.toReversed()) bytes = field(number, bytes);
  return bytes;
}
