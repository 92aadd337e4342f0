import fc from 'fast-check';
import { grpcFrame } from '../grpc-peer.ts';
import { clientPreface, data, flag, openStream, settings, settingsAck } from '../http2-frames.ts';
import { RawPeer } from '../raw-peer.ts';
import type { Victim } from '../victim.ts';
import { type Mutation, mutateBytes } from './mutation.ts';

/** How long an answer is waited for at most: many mutations leave a connection that is in order and says nothing more. */
const patienceMs = 30;

export interface WireAttack {
  readonly messages: readonly Buffer[];
  readonly mutation: Mutation;
  /** How many bytes a DATA frame has at most. */
  readonly frameBytes: number;
}

export const anyFrameBytes = fc.constantFrom(1, 7, 100, 16_384);

/** Sends a valid session's bytes, HTTP/2's included, with one change, and leaves. */
export async function sendMutated(victim: Victim, address: string, attack: WireAttack): Promise<void> {
  const peer = new RawPeer(victim.port('grpc'), address);
  try {
    peer.send(mutateBytes(wireBytes(attack), attack.mutation, clientPreface));
    const endMs = performance.now() + patienceMs;
    while (!peer.closed && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    peer.destroy();
  }
}

function wireBytes({ messages, frameBytes }: WireAttack): Buffer {
  const payload = Buffer.concat(messages.map((message) => grpcFrame(message)));
  const frames: Buffer[] = [];
  for (let at = 0; at < payload.length; at += frameBytes)
    frames.push(data(1, payload.subarray(at, at + frameBytes)));
  const end = data(1, new Uint8Array(), flag.endStream);
  return Buffer.concat([clientPreface, settings(), settingsAck, openStream(1), ...frames, end]);
}
