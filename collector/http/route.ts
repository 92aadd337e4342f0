import type { IncomingHttpHeaders } from 'node:http';
import type { Permission } from '../config/auth-config.ts';

/** A request, as far as handlers need to know it. */
export interface RouteRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** Empty for routes without `maxBodyBytes`. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, or its pieces, which are made only as fast as the client takes them. */
  readonly body: string | Iterable<string>;
  /** Resolves once the pieces made so far may be sent. Absent: at once. */
  readonly sendable?: (() => Promise<void>) | undefined;
}

/** One address of a server. */
export interface Route {
  /** `GET` answers HEAD as well. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The whole path; there are no patterns. */
  readonly path: string;
  /** One sentence for people who list the routes. */
  readonly summary: string;
  /** What a client has to be permitted where clients are asked for credentials. Absent: nothing. */
  readonly permission?: Permission;
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
