import { InvalidDataError } from '../error.ts';
import { type Ack, encodeAck, readAck } from './ack.ts';
import { type Instruct, instructFrom, instructTo } from './instruct.ts';
import { connectMethod, integer, type LoaderMessage, named } from './loader.ts';
import { type Position, positionFrom, positionTo } from './position.ts';
import { checkStructure, collectorMessageShape } from './structure.ts';

/** What a collector sends. */
export type CollectorMessage = Ack | Welcome | Refuse | Instruct;

const durabilities = ['unspecified', 'memory', 'disk'] as const;

/** The answer to Hello. What the fields mean stands in the .proto. */
export interface Welcome {
  readonly type: 'welcome';
  readonly session: string;
  readonly lastReport: number;
  readonly durability: (typeof durabilities)[number];
  readonly limits: Limits;
  readonly clockUs: number;
  readonly instructions: readonly Instruct[];
  readonly protocolVersion: number;
  readonly capabilities: readonly string[];
  readonly position: Position | undefined;
}

/** What the collector accepts from one stream. 0: no limit is stated. */
export interface Limits {
  readonly maxMessageBytes: number;
  readonly maxSeries: number;
  readonly maxAttributes: number;
  readonly maxAttributeBytes: number;
}

const refuseKinds = ['unspecified', 'invalid', 'limit', 'epoch_fell', 'epoch_old', 'not_finite'] as const;
export type RefuseKind = (typeof refuseKinds)[number];

/** A report or series that the collector does not count. */
export interface Refuse {
  readonly type: 'refuse';
  readonly kind: RefuseKind;
  /** 0 when a definition is refused. */
  readonly report: number;
  /** Empty when the whole report is refused. */
  readonly series: readonly number[];
  readonly reason: string;
  readonly fieldPath: string;
  /** `undefined`: trying again does not help. */
  readonly retryDelayMs: number | undefined;
}

/** The bytes of a CollectorMessage. */
export function encodeCollectorMessage(message: CollectorMessage): Buffer {
  if (message.type === 'ack' && message.position === undefined) return encodeAck(message.report);
  return connectMethod().responseSerialize(toLoader(message));
}

/** @throws InvalidDataError for bytes or content that break the protocol; the message names the field */
export function decodeCollectorMessage(bytes: Uint8Array): CollectorMessage {
  const report = readAck(bytes);
  if (report >= 0) return { type: 'ack', report, position: undefined };
  checkStructure(bytes, collectorMessageShape);
  let message: LoaderMessage;
  try {
    message = connectMethod().responseDeserialize(bytes as Buffer);
  } catch (cause) {
    throw new InvalidDataError('the bytes are no CollectorMessage', { cause });
  }
  return fromLoader(message);
}

function toLoader(message: CollectorMessage): LoaderMessage {
  switch (message.type) {
    case 'ack':
      return { ack: { report: String(message.report), position: positionTo(message.position) } };
    case 'welcome':
      return { welcome: welcomeTo(message) };
    case 'refuse':
      return {
        refuse: { ...message, kind: refuseKinds.indexOf(message.kind), report: String(message.report) },
      };
    case 'instruct':
      return { instruct: instructTo(message) };
  }
}

function welcomeTo(message: Welcome): LoaderMessage {
  const { limits } = message;
  return {
    ...message,
    lastReport: String(message.lastReport),
    durability: durabilities.indexOf(message.durability),
    limits: {
      ...limits,
      maxMessageBytes: String(limits.maxMessageBytes),
      maxSeries: String(limits.maxSeries),
    },
    clockUs: String(message.clockUs),
    instructions: message.instructions.map(instructTo),
    position: positionTo(message.position),
  };
}

function fromLoader(outer: LoaderMessage): CollectorMessage {
  const message = outer[outer.message];
  switch (outer.message) {
    case 'ack':
      return {
        type: 'ack',
        report: integer(message.report, 'report'),
        position: positionFrom(message.position, 'position'),
      };
    case 'welcome':
      return welcomeFrom(message);
    case 'refuse':
      return {
        type: 'refuse',
        kind: named(refuseKinds, message.kind),
        report: integer(message.report, 'report'),
        series: message.series,
        reason: message.reason,
        fieldPath: message.fieldPath,
        retryDelayMs: message.retryDelayMs,
      };
    case 'instruct':
      return instructFrom(message, '');
    default:
      throw new InvalidDataError('a CollectorMessage holds nothing that protocol version 1 knows');
  }
}

function welcomeFrom(message: LoaderMessage): Welcome {
  const { session, protocolVersion, capabilities, limits } = message;
  return {
    type: 'welcome',
    session,
    lastReport: integer(message.lastReport, 'last_report'),
    durability: named(durabilities, message.durability),
    limits: {
      maxMessageBytes: integer(limits?.maxMessageBytes ?? '0', 'limits.max_message_bytes'),
      maxSeries: integer(limits?.maxSeries ?? '0', 'limits.max_series'),
      maxAttributes: limits?.maxAttributes ?? 0,
      maxAttributeBytes: limits?.maxAttributeBytes ?? 0,
    },
    clockUs: integer(message.clockUs, 'clock_us'),
    instructions: message.instructions.map((instruct: LoaderMessage, i: number) =>
      instructFrom(instruct, `instructions[${i}].`),
    ),
    protocolVersion,
    capabilities,
    position: positionFrom(message.position, 'position'),
  };
}
