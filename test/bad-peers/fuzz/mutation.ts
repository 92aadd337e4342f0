import fc from 'fast-check';

/** One change to a sequence of messages. Places are shares, from 0 to 1, of what there is; message 0 is the first, others are shares of the rest. */
export interface Mutation {
  readonly kind:
    | 'flip'
    | 'cut'
    | 'insert'
    | 'replace'
    | 'remove'
    | 'number'
    | 'splice'
    | 'twice'
    | 'drop'
    | 'swap'
    | 'move';
  readonly message: number;
  readonly place: number;
  readonly other: number;
  readonly bytes: Uint8Array;
}

const kinds: readonly Mutation['kind'][] = [
  'flip',
  'cut',
  'insert',
  'replace',
  'remove',
  'number',
  'splice',
  'twice',
  'drop',
  'swap',
  'move',
];
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

export const anyMutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...kinds),
  // A Hello that is wrong is seldom more than that.
  message: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 9, arbitrary: share }),
  place: share,
  other: share,
  bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
});

/** Varints that lie: large, larger than they may be, without an end. */
const numbers = [
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.alloc(12, 0x80),
];

/** The messages with one change. Those that were given stay as they are. */
export function mutate(messages: readonly Buffer[], mutation: Mutation): Buffer[] {
  const changed = [...messages];
  if (changed.length < 2) return changed;
  const i = mutation.message === 0 ? 0 : 1 + Math.floor(mutation.message * (changed.length - 1));
  const j = Math.floor(mutation.other * changed.length);
  switch (mutation.kind) {
    case 'twice':
      changed.splice(i, 0, changed[i]!);
      break;
    case 'drop':
      changed.splice(i, 1);
      break;
    case 'swap':
      [changed[i], changed[j]] = [changed[j]!, changed[i]!];
      break;
    case 'move':
      changed.splice(j, 0, ...changed.splice(i, 1));
      break;
    default:
      changed[i] = mutateBytes(changed[i]!, mutation, changed[j]!);
  }
  return changed;
}

/** Bytes with one change. @param from where `splice` takes bytes */
export function mutateBytes(
  bytes: Buffer,
  { kind, place, other, bytes: random }: Mutation,
  from: Buffer,
): Buffer {
  const at = Math.floor(place * bytes.length);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (kind) {
    case 'cut':
      return before;
    case 'insert':
      return Buffer.concat([before, random, after]);
    case 'replace':
      return Buffer.concat([before, random, after.subarray(random.length)]);
    case 'remove':
      return Buffer.concat([before, after.subarray(random.length)]);
    case 'number':
      return Buffer.concat([before, numbers[random[0]! % numbers.length]!, after.subarray(1)]);
    case 'splice':
      return Buffer.concat([before, from.subarray(Math.floor(other * from.length)), after]);
    default: {
      const flipped = Buffer.from(bytes);
      if (flipped.length > 0) flipped[at]! ^= random[0]! | 1;
      return flipped;
    }
  }
}
