import type { IncomingHttpHeaders } from 'node:http';
import type { Permission } from '../config/auth-config.ts';
import type { Denial } from '../security/denial.ts';
import type { Grant } from '../security/grant.ts';

/** A request, as far as handlers need to know it. */
export interface RouteRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** Empty for routes without `maxBodyBytes`. */
  readonly body: Buffer;
  /** What its sender may do and write, where that has bounds: of routes with a permission. */
  readonly grant: Grant | undefined;
  /** What stands for its connection as long as that lives. */
  readonly connection: object;
  /** The peer's address and port. */
  readonly address: string;
  /** Counts and logs that the sender went beyond what its credentials permit. */
  readonly onDenied: (denial: Denial) => void;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, or its pieces, which are made only as fast as the client takes them, or bytes as they are. */
  readonly body: string | Buffer | Iterable<string>;
  /** Resolves once the pieces made so far may be sent. Absent: at once. */
  readonly sendable?: (() => Promise<void>) | undefined;
}

/** One address of a server. */
export interface Route {
  /** `GET` answers HEAD as well. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  /** The whole path; there are no patterns. */
  readonly path: string;
  /** One sentence for people who list the routes. */
  readonly summary: string;
  /** What a client has to be permitted where clients are asked for credentials. Absent: nothing. */
  readonly permission?: Permission;
  /** Whether pages of another origin may ask. Absent: none may. */
  readonly allowsOrigin?: (origin: string) => boolean;
  /** It is there for those who come to the wrong place, and is not listed. */
  readonly isHidden?: boolean;
  /** How large a body may be. Absent: none is read. */
  readonly maxBodyBytes?: number;
  /** What it throws is answered with a status after its kind; what is not a StreamgaugeError with 500, without its text. */
  handle(request: RouteRequest): Answer | Promise<Answer>;
}

/** A sentence for people. */
export function textAnswer(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', headers, body: `${sentence}\n` };
}

/** Any plain value as indented JSON. A bigint is written as a number when that is exact, else as a string. */
export function jsonAnswer(value: unknown): Answer {
  const body = JSON.stringify(value, plainJson, 2) ?? 'null';
  return { status: 200, contentType: 'application/json; charset=utf-8', body: `${body}\n` };
}

function plainJson(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return BigInt.asIntN(53, value) === value ? Number(value) : value.toString();
}
