import { type NamePattern, namePattern } from '../../../otel/config/name-pattern.ts';
import type { CorsConfig } from '../../config/otlp-config.ts';

/** What an exporter in a browser sends beyond what any page may. */
const usualHeaders = ['content-type', 'content-encoding'];

/** Which pages of other origins may send, after the Fetch standard's CORS protocol. */
export class Cors {
  readonly #origins: readonly NamePattern[];
  readonly #headers: string;
  readonly #maxAgeS: number;

  constructor({ allowedOrigins, allowedHeaders, maxAgeMs }: CorsConfig) {
    this.#origins = allowedOrigins.map((pattern) => namePattern(pattern, { ignoreCase: true }));
    this.#headers = [...usualHeaders, ...allowedHeaders].join(', ');
    this.#maxAgeS = Math.floor(maxAgeMs / 1000);
  }

  isAllowed(origin: string): boolean {
    return this.#origins.some((pattern) => pattern.test(origin));
  }

  /** The headers of any answer to a page of this origin. */
  headers(origin: string | undefined): Readonly<Record<string, string>> {
    if (origin === undefined || !this.isAllowed(origin)) return {};
    return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  }

  /** The headers of the answer to what a browser asks before it sends. */
  preflightHeaders(origin: string | undefined): Readonly<Record<string, string>> {
    return {
      ...this.headers(origin),
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': this.#headers,
      'Access-Control-Max-Age': String(this.#maxAgeS),
    };
  }
}
