import { integer, type LoaderMessage } from './loader.ts';

/** A wish of the collector. What the fields mean stands in the .proto. */
export interface Instruct {
  readonly type: 'instruct';
  readonly number: number;
  readonly timeToLiveMs: number;
  readonly instruction: Instruction;
}

/** `unknown`: one that this version does not know, to be answered so. */
export type Instruction =
  | { readonly type: 'sampling_interval'; readonly instrumentName: string; readonly intervalMs: number }
  | { readonly type: 'configuration'; readonly yaml: string }
  | { readonly type: 'drain'; readonly reconnectDelayMs: number }
  | { readonly type: 'unknown' };

export function instructTo(message: Instruct): LoaderMessage {
  return {
    number: String(message.number),
    timeToLiveMs: String(message.timeToLiveMs),
    ...instructionTo(message.instruction),
  };
}

function instructionTo(instruction: Instruction): LoaderMessage {
  switch (instruction.type) {
    case 'sampling_interval':
      return { samplingInterval: instruction };
    case 'configuration':
      return { configuration: instruction };
    case 'drain':
      return { drain: instruction };
    case 'unknown':
      return {};
  }
}

/** @param path where the message stands, with a dot at its end */
export function instructFrom(message: LoaderMessage, path: string): Instruct {
  return {
    type: 'instruct',
    number: integer(message.number, `${path}number`),
    timeToLiveMs: integer(message.timeToLiveMs, `${path}time_to_live_ms`),
    instruction: instructionFrom(message),
  };
}

function instructionFrom(message: LoaderMessage): Instruction {
  switch (message.instruction) {
    case 'samplingInterval':
      return { type: 'sampling_interval', ...message.samplingInterval };
    case 'configuration':
      return { type: 'configuration', ...message.configuration };
    case 'drain':
      return { type: 'drain', ...message.drain };
    default:
      return { type: 'unknown' };
  }
}
