import { InvalidDataError } from '../error.ts';
import type { KeyValue } from './any-value.ts';
import { type Define, defineFrom, defineTo } from './define.ts';
import { connectMethod, integer, type LoaderMessage, named, sized } from './loader.ts';
import { type Position, positionFrom, positionTo } from './position.ts';
import { agentMessageShape, checkStructure } from './structure.ts';

/** What an agent sends, reports apart: those are bytes of report/write-report.ts. */
export type AgentMessage = Hello | Define | Retire | Answer | Goodbye;

/** The first message of a stream. What the fields mean stands in the .proto. */
export interface Hello {
  readonly type: 'hello';
  readonly protocolVersion: number;
  /** 1 to 256 bytes of UTF-8. */
  readonly memberId: string;
  /** 16 bytes. */
  readonly incarnation: Uint8Array;
  readonly bootId: string;
  readonly resource: readonly KeyValue[];
  readonly resourceSchemaUrl: string;
  readonly capabilities: readonly string[];
  readonly clockUs: number;
  readonly lastAck: Position | undefined;
  readonly userAgent: string;
  /** How long an Ack may wait for further reports. 0: not at all. */
  readonly ackDelayMs: number;
}

/** `idle` too where an agent gives no reason, or one unknown to this version: it frees nothing. */
const reasons = ['idle', 'gone', 'idle'] as const;

/** Series that later reports no longer hold. */
export interface Retire {
  readonly type: 'retire';
  /** Ascending. */
  readonly series: readonly number[];
  readonly reason: (typeof reasons)[number];
}

/** The answer to an Instruct. */
export interface Answer {
  readonly type: 'answer';
  readonly instruction: number;
  /** Empty: done. */
  readonly error: string;
}

/** No report follows. */
export interface Goodbye {
  readonly type: 'goodbye';
  /** The number of the last report of this incarnation; 0 when there was none. */
  readonly lastReport: number;
}

export const maxMemberIdBytes = 256;
/** Of each text that a Hello has beside its resource. They are held as long as the stream is, and stand in logs. */
const maxTextBytes = 1024;
/** Of what went wrong in the agent. */
const maxErrorBytes = 4096;
const maxCapabilities = 64;

/** The bytes of an AgentMessage. */
export function encodeAgentMessage(message: AgentMessage): Buffer {
  return connectMethod().requestSerialize(toLoader(message));
}

/**
 * An AgentMessage that is no report.
 * @throws InvalidDataError for bytes or content that break the protocol; the message names the field
 */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage {
  checkStructure(bytes, agentMessageShape);
  let message: LoaderMessage;
  try {
    message = connectMethod().requestDeserialize(bytes as Buffer);
  } catch (cause) {
    throw new InvalidDataError('the bytes are no AgentMessage', { cause });
  }
  return fromLoader(message);
}

function toLoader(message: AgentMessage): LoaderMessage {
  switch (message.type) {
    case 'hello':
      return {
        hello: { ...message, clockUs: String(message.clockUs), lastAck: positionTo(message.lastAck) },
      };
    case 'define':
      return { define: defineTo(message) };
    case 'retire':
      return { retire: { series: message.series, reason: message.reason === 'gone' ? 1 : 2 } };
    case 'answer':
      return { answer: { instruction: String(message.instruction), error: message.error } };
    case 'goodbye':
      return { goodbye: { lastReport: String(message.lastReport) } };
  }
}

function fromLoader(outer: LoaderMessage): AgentMessage {
  if (outer.groups.length > 0 || outer.reportNumber !== '0' || outer.history)
    throw new InvalidDataError('a message holds a report beside something else');
  const message = outer[outer.message];
  switch (outer.message) {
    case 'hello':
      return helloFrom(message);
    case 'define':
      return defineFrom(message);
    case 'retire':
      return { type: 'retire', series: message.series, reason: named(reasons, message.reason) };
    case 'answer':
      return {
        type: 'answer',
        instruction: integer(message.instruction, 'instruction'),
        error: short(message.error, maxErrorBytes, 'error'),
      };
    case 'goodbye':
      return { type: 'goodbye', lastReport: integer(message.lastReport, 'last_report') };
    default:
      throw new InvalidDataError('an AgentMessage holds nothing that protocol version 1 knows');
  }
}

function helloFrom(message: LoaderMessage): Hello {
  const {
    memberId,
    protocolVersion,
    bootId,
    resource,
    resourceSchemaUrl,
    capabilities,
    userAgent,
    ackDelayMs,
  } = message;
  const length = Buffer.byteLength(memberId);
  if (length === 0 || length > maxMemberIdBytes)
    throw new InvalidDataError(`has ${length} bytes; 1 to ${maxMemberIdBytes} are allowed`, {
      fieldPath: 'member_id',
    });
  if (capabilities.length > maxCapabilities)
    throw new InvalidDataError(`has ${capabilities.length} entries; at most ${maxCapabilities} are allowed`, {
      fieldPath: 'capabilities',
    });
  for (const [i, capability] of capabilities.entries()) short(capability, maxTextBytes, `capabilities[${i}]`);
  return {
    type: 'hello',
    protocolVersion,
    memberId,
    incarnation: sized(message.incarnation, [16], 'incarnation'),
    bootId: short(bootId, maxTextBytes, 'boot_id'),
    resource,
    resourceSchemaUrl: short(resourceSchemaUrl, maxTextBytes, 'resource_schema_url'),
    capabilities,
    clockUs: integer(message.clockUs, 'clock_us'),
    lastAck: positionFrom(message.lastAck, 'last_ack'),
    userAgent: short(userAgent, maxTextBytes, 'user_agent'),
    ackDelayMs,
  };
}

function short(text: string, maxBytes: number, fieldPath: string): string {
  const length = Buffer.byteLength(text);
  if (length > maxBytes)
    throw new InvalidDataError(`has ${length} bytes; at most ${maxBytes} are allowed`, { fieldPath });
  return text;
}
