import type { ConnectionOptions } from 'node:tls';
import { RawPeer } from './raw-peer.ts';
import type { Victim } from './victim.ts';

/** A port of the collector, as the table sees it. */
export type PortName = 'grpc' | 'http' | 'admin' | 'prometheus';

export interface Attacked {
  readonly victim: Victim;
  readonly port: PortName;
  /** Where the attacker's connections come from: another address than those of all others, as on a network. */
  readonly address: string;
  /** A connection of the attacker, destroyed when the attack is over. */
  connect(secure?: ConnectionOptions): RawPeer;
}

/** One row of the table: what a peer does that means harm, and what it is told. */
export interface Attack {
  readonly title: string;
  readonly ports: readonly PortName[];
  /** Does it, and gives the answer as text. */
  run(attacked: Attacked): Promise<string>;
  readonly answer: string | RegExp;
}

let attackers = 0;

/** Runs one row on one port. */
export async function runAttack(attack: Attack, victim: Victim, port: PortName): Promise<string> {
  const peers: RawPeer[] = [];
  attackers++;
  const address = `127.1.${attackers >> 8}.${attackers & 255}`;
  try {
    return await attack.run({
      victim,
      port,
      address,
      connect(secure) {
        const peer = new RawPeer(victim.port(port), address, secure);
        peers.push(peer);
        return peer;
      },
    });
  } finally {
    for (const peer of peers) peer.destroy();
  }
}
