import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { StreamgaugeError } from '../../proto/error.ts';
import { bareHost, isLoopback } from '../config/addresses.ts';
import { EndpointError, grpcEndpoint } from '../export/endpoint.ts';
import { type ChannelTls, firstToken, secureContext } from '../stream/channel-tls.ts';
import { serviceNames } from '../stream/end-names.ts';

/** Where a collector listens, and what is presented to it. */
export interface ServiceChannelOptions {
  /**
   * `http://HOST:PORT`, `https://HOST:PORT` for TLS, or `HOST:PORT`: with TLS unless the host is this machine and `tls` is not given. Without a
   * port it is 4317, and 443 with TLS. Default `http://localhost:4317`.
   */
  readonly endpoint?: string | undefined;
  /** Files for TLS, read for each connection. Turns TLS on for an endpoint without a scheme. */
  readonly tls?: ChannelTls | undefined;
  /** A bearer token that each connection presents. */
  readonly token?: string | undefined;
  /** A file whose first token each connection presents, read for each. */
  readonly tokenFile?: string | undefined;
  /** Further gRPC metadata for each stream. Names are lower case; `-bin` names, which hold bytes, are not taken. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const reserved = /^(?::|grpc-|content-type$|te$|user-agent$|connection$|host$)/;

/** A collector's address with what a connection to it takes. Sockets never keep the process alive. */
export class ServiceChannel {
  /** For logs; without user and password. */
  readonly shown: string;
  readonly authority: string;
  readonly isTls: boolean;
  readonly #options: ServiceChannelOptions;
  readonly #host: string;
  readonly #port: number;

  /** @throws StreamgaugeError `config` naming the option, what was found and what is allowed */
  constructor(options: ServiceChannelOptions) {
    this.#options = options;
    const { endpoint = 'http://localhost:4317', tls, token, tokenFile, headers = {} } = options;
    const { target, tls: isTls, shown } = parsed(endpoint, tls !== undefined);
    const at = target.lastIndexOf(':');
    this.shown = shown;
    this.authority = target;
    this.isTls = isTls;
    this.#host = bareHost(target.slice(0, at));
    this.#port = Number(target.slice(at + 1));
    if (!isTls && tls !== undefined)
      throw config(`tls is given and the endpoint ${shown} is one without TLS: write https://${target}`);
    if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
      throw config('tls.certFile and tls.keyFile are given together or not at all');
    if (token !== undefined && tokenFile !== undefined)
      throw config('token and tokenFile are both given: give one of them');
    for (const [name, value] of Object.entries(headers)) {
      if (!/^[0-9a-z_.-]+$/.test(name) || name.endsWith('-bin') || reserved.test(name))
        throw config(
          `headers has the name ${JSON.stringify(name)}: names are lower case letters, digits and -_., and none of gRPC's own`,
        );
      if (!/^[\x20-\x7e]*$/.test(value)) throw config(`headers.${name} holds other than printable ASCII`);
    }
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
      throw config('token is empty or holds blanks or other than printable ASCII');
  }

  /** What each call presents. @throws StreamgaugeError `config` when the file of tokens cannot be used */
  headers(): Readonly<Record<string, string>> {
    const { token, tokenFile, headers } = this.#options;
    const bearer = tokenFile === undefined ? token : firstToken(tokenFile, serviceNames);
    return bearer === undefined ? { ...headers } : { ...headers, authorization: `Bearer ${bearer}` };
  }

  /** Begins to connect. @throws StreamgaugeError `config` when a file of certificates cannot be used */
  connect(): Socket {
    const { tls } = this.#options;
    const address = { host: this.#host, port: this.#port, noDelay: true };
    const socket = this.isTls
      ? connectTls({
          ...address,
          secureContext: secureContext(tls ?? {}, serviceNames),
          servername: tls?.serverName ?? (/^[\d.]+$|:/.test(this.#host) ? '' : this.#host),
          ALPNProtocols: ['h2'],
        })
      : connectTcp(address);
    socket.unref();
    // Each address of a name that is tried has a handle of its own.
    socket.on('connect', () => socket.unref());
    return socket;
  }
}

function parsed(endpoint: string, wantsTls: boolean) {
  const bare = /^\[?[^/]*$/.test(endpoint) ? bareHost(endpoint.replace(/:\d+$/, '')) : '';
  try {
    return grpcEndpoint(endpoint, !wantsTls && isLoopback(bare));
  } catch (error) {
    if (error instanceof EndpointError) throw config(error.message);
    throw error;
  }
}

function config(message: string): StreamgaugeError {
  return new StreamgaugeError('config', `StreamMetricExporter: ${message}`);
}
