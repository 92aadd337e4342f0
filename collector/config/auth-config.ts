import type { Attributes } from '../../otel/model/attributes.ts';

/**
 * What a peer may do: hold a stream as an agent, send OTLP, read metrics (`/metrics` of any port), use the admin port.
 */
export const permissions = ['stream', 'otlp', 'read', 'admin'] as const;
export type Permission = (typeof permissions)[number];

/** What those who present one certificate or token may do. */
export interface GrantConfig {
  readonly permissions: readonly Permission[];
  /** Member ids that they may speak for, as patterns. */
  readonly agents: readonly string[];
  /** Attributes that every resource they write gets. */
  readonly forced: Attributes;
  /** Keys, as patterns, that no resource they write may have. */
  readonly forbidden: readonly string[];
}

/** Those with a certificate of one name. */
export interface ClientConfig extends GrantConfig {
  /** A pattern: of URIs, SPIFFE ids for one, when it has a colon, else of DNS names. */
  readonly name: string;
}

/** Those with one of the tokens of a file. */
export interface TokenConfig extends GrantConfig {
  /** For logs. */
  readonly name: string;
  readonly tokenFile: string;
}

export interface AuthConfig {
  /** In order: the first whose name one of a certificate's names matches holds. `undefined`: every certificate that verifies may do everything. */
  readonly clients: readonly ClientConfig[] | undefined;
  /** `undefined`: nothing asks for a token. */
  readonly tokens: readonly TokenConfig[] | undefined;
  /** What may be done without a token where there are tokens. */
  readonly withoutToken: readonly Permission[];
  /** How often files of tokens are looked at. */
  readonly reloadIntervalMs: number;
}

export const authDefaults: AuthConfig = {
  clients: undefined,
  tokens: undefined,
  withoutToken: [],
  reloadIntervalMs: 10_000,
};
export const defaultPermissions: readonly Permission[] = ['stream', 'otlp'];
