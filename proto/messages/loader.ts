import type { MethodDefinition } from '@grpc/proto-loader';
import { InvalidDataError } from '../error.ts';
import { loadProto } from '../load.ts';

/** A message as the loader has it: see {@link loadProto}. */
// biome-ignore lint/suspicious/noExplicitAny: the loader's messages have no types; each decoder of this folder gives them theirs
export type LoaderMessage = any;

let method: MethodDefinition<object, object> | undefined;

/** The loader's serializers of both messages. */
export function connectMethod(): MethodDefinition<object, object> {
  const service = loadProto('streamgauge/v1/telemetry_stream.proto')['streamgauge.v1.TelemetryStream'];
  method ??= (service as unknown as { Connect: MethodDefinition<object, object> }).Connect;
  return method;
}

/** A 64-bit integer of the loader as a number. @throws InvalidDataError beyond ±(2^53 - 1) */
export function integer(text: string, fieldPath: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new InvalidDataError(`${text} is out of range; whole numbers within ±(2^53 - 1) are allowed`, {
      fieldPath,
    });
  return value;
}

/** The element of a list that an enum's number stands for, the first one for unknown numbers. */
export function named<T>(names: readonly [T, ...T[]], number: number): T {
  return names[number] ?? names[0];
}

/** Checks that bytes are one of the lengths. @throws InvalidDataError when not */
export function sized(bytes: Uint8Array, lengths: readonly number[], fieldPath: string): Uint8Array {
  if (!lengths.includes(bytes.length))
    throw new InvalidDataError(`has ${bytes.length} bytes; ${lengths.join(' or ')} are allowed`, {
      fieldPath,
    });
  return bytes;
}

/** The message without the fields that are at their defaults, which the loader would write. Not for messages with `optional` or `oneof` fields. */
export function withoutDefaults(message: object): LoaderMessage {
  const kept: LoaderMessage = {};
  for (const [key, value] of Object.entries(message)) {
    const isDefault =
      value === 0 ||
      value === '0' ||
      value === '' ||
      value === false ||
      (value as ArrayLike<unknown>).length === 0;
    if (!isDefault) kept[key] = value;
  }
  return kept;
}
