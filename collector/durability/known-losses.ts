/** Of so many losses it is remembered that they have been acted upon. */
const maxKnown = 1024;

/**
 * What proved that acknowledged data was lost, so that each loss counts once: the tokens of openings that found damage, and of terms that agents were told of
 * and that reach further than what is here.
 */
export class KnownLosses {
  readonly #tokens = new Set<string>();

  has(token: Uint8Array): boolean {
    return this.#tokens.has(hex(token));
  }

  add(token: Uint8Array): void {
    this.#tokens.add(hex(token));
    for (const oldest of this.#tokens) {
      if (this.#tokens.size <= maxKnown) break;
      this.#tokens.delete(oldest);
    }
  }

  get all(): Buffer[] {
    return [...this.#tokens].map((token) => Buffer.from(token, 'hex'));
  }
}

function hex(token: Uint8Array): string {
  return Buffer.from(token).toString('hex');
}
