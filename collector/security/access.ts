import type { TLSSocket } from 'node:tls';
import { namePattern } from '../../otel/config/name-pattern.ts';
import type { AuthConfig, Permission } from '../config/auth-config.ts';
import type { Denial } from './denial.ts';
import { bothGrants, configuredGrant, type Grant, notPermitted } from './grant.ts';
import { type CertificateNames, type PeerCertificate, peerCertificate } from './peer-certificate.ts';
import { Tokens, type TokensLog } from './tokens.ts';

/** A peer that may come in: with what it may do, or, `undefined`, with everything. */
export type Admission = { readonly grant: Grant | undefined } | { readonly denial: Denial };

/** What a request presents. */
export interface Presented {
  /** Of the connection: `undefined` where the port asks for none. */
  readonly certificate: PeerCertificate | undefined;
  /** The header `authorization`. */
  readonly authorization: string | undefined;
}

const allowed: Admission = { grant: undefined };
/** Longer ones are none. */
const maxHeaderLength = 8192;

interface NamedClients {
  readonly grantFor: (names: CertificateNames) => Grant | undefined;
}

/**
 * Who may come in and what for. A peer has to satisfy all that is asked for: a certificate where the port asks for one, which an entry
 * of `auth.clients` has to be for where there are some, and a token where there are tokens. What it may do is what both permit.
 */
export class Access {
  readonly #log: TokensLog;
  #rules: AccessRules;
  #isStarted = false;

  /** @throws ConfigError naming the file of tokens that cannot be used */
  constructor(config: AuthConfig, log: TokensLog) {
    this.#log = log;
    this.#rules = new AccessRules(config, log);
  }

  /** Nobody has to present anything but, where a port asks for one, a certificate. */
  get isOpen(): boolean {
    return this.#rules.isOpen;
  }

  start(): void {
    this.#isStarted = true;
    this.#rules.tokens?.start();
  }

  stop(): void {
    this.#isStarted = false;
    this.#rules.tokens?.stop();
  }

  /**
   * Reads what another configuration names, and gives a function that puts it in force: for who comes from then on.
   * @throws ConfigError naming the file of tokens that cannot be used
   */
  prepare(config: AuthConfig): () => void {
    const rules = new AccessRules(config, this.#log);
    return () => {
      this.#rules.tokens?.stop();
      this.#rules = rules;
      if (this.#isStarted) rules.tokens?.start();
    };
  }

  /** Whether a peer may do something. */
  admit(presented: Presented, permission: Permission): Admission {
    return this.#rules.admit(presented, permission);
  }
}

/** Those of one configuration. */
class AccessRules {
  readonly isOpen: boolean;
  readonly tokens: Tokens | undefined;
  readonly #clients: readonly NamedClients[] | undefined;
  readonly #withoutToken: ReadonlySet<Permission>;

  constructor(config: AuthConfig, log: TokensLog) {
    this.#clients = config.clients?.map((client) => {
      const isUri = client.name.includes(':');
      const pattern = namePattern(client.name, { ignoreCase: !isUri });
      return {
        grantFor(names) {
          for (const name of isUri ? names.uris : names.dns) {
            const captures = pattern.captures(name);
            if (captures !== undefined) return configuredGrant(`client ${name}`, client, captures);
          }
          return undefined;
        },
      };
    });
    this.tokens =
      config.tokens === undefined ? undefined : new Tokens(config.tokens, config.reloadIntervalMs, log);
    this.#withoutToken = new Set(config.withoutToken);
    this.isOpen = this.#clients === undefined && this.tokens === undefined;
  }

  admit({ certificate, authorization }: Presented, permission: Permission): Admission {
    if (certificate !== undefined && 'denial' in certificate) return certificate;
    if (this.isOpen) return allowed;
    const client =
      certificate === undefined || this.#clients === undefined ? allowed : this.#client(certificate.names);
    if ('denial' in client) return client;
    const token = this.#token(authorization, permission);
    if ('denial' in token) return token;
    const grant = joined(client.grant, token.grant);
    if (grant === undefined || grant.permits(permission)) return { grant };
    const reason = `these credentials do not permit ${permission}: add it to the permissions of their entry in auth`;
    return { denial: notPermitted(grant, 'permission', reason) };
  }

  #client(names: CertificateNames): Admission {
    for (const clients of this.#clients!) {
      const grant = clients.grantFor(names);
      if (grant !== undefined) return { grant };
    }
    const own = [...names.uris, ...names.dns].slice(0, 4).join(', ').slice(0, 256);
    const reason =
      own === ''
        ? 'the client certificate has no name (a URI or DNS name as subject alternative name): issue one that has'
        : 'no entry of auth.clients is for a name of the client certificate';
    return { denial: { cause: 'certificate_unknown', reason, who: own === '' ? '' : `client ${own}` } };
  }

  #token(authorization: string | undefined, permission: Permission): Admission {
    if (this.tokens === undefined) return allowed;
    if (authorization === undefined) {
      if (this.#withoutToken.has(permission)) return allowed;
      const reason = 'a bearer token is asked for, and none came: give the client a token_file';
      return { denial: { cause: 'token_missing', reason, who: '' } };
    }
    const [, token] = /^Bearer +([^\s]+) *$/i.exec(authorization.slice(0, maxHeaderLength)) ?? [];
    const grant = token === undefined ? undefined : this.tokens.find(token);
    if (grant !== undefined) return { grant };
    const reason =
      token === undefined
        ? 'the authorization is no bearer token: it has the form Bearer TOKEN'
        : 'the bearer token is not known here: it may have been replaced';
    return { denial: { cause: 'token_invalid', reason, who: '' } };
  }
}

function joined(a: Grant | undefined, b: Grant | undefined): Grant | undefined {
  return a === undefined || b === undefined ? (a ?? b) : bothGrants(a, b);
}

const certificatesOf = new WeakMap<object, PeerCertificate>();

/** The certificate of a connection, read once. @param connection what stands for the connection as long as it lives */
export function connectionCertificate(connection: object, socket: unknown): PeerCertificate {
  let certificate = certificatesOf.get(connection);
  if (certificate === undefined || ('validToMs' in certificate && certificate.validToMs < Date.now())) {
    certificate = peerCertificate(socket as TLSSocket);
    certificatesOf.set(connection, certificate);
  }
  return certificate;
}
