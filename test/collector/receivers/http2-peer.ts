import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { ExecutionContext } from 'ava';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { connectPath } from '../../../proto/service.ts';
import { until } from '../../interop/until.ts';

/** A Hello, as bytes of an AgentMessage. */
export function helloBytes(memberId = 'm'): Buffer {
  return encodeAgentMessage({
    type: 'hello',
    protocolVersion: 1,
    memberId,
    incarnation: Buffer.alloc(16),
    bootId: '',
    resource: [],
    resourceSchemaUrl: '',
    capabilities: [],
    clockUs: 0,
    lastAck: undefined,
    userAgent: '',
    ackDelayMs: 5000,
  });
}

export function framed(message: Uint8Array, flag = 0): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame[0] = flag;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** A peer that speaks HTTP/2 itself, so that it can send what no gRPC client would, and leave unread what it is sent. */
export class Http2Peer {
  readonly stream: ClientHttp2Stream;
  received = 0;
  headers: IncomingHttpHeaders | undefined;
  trailers: IncomingHttpHeaders | undefined;

  readonly client: ClientHttp2Session;

  /** @param tls over TLS, with these options */
  constructor(
    t: ExecutionContext,
    target: string,
    headers: OutgoingHttpHeaders = {},
    tls?: SecureClientSessionOptions,
  ) {
    const client = connect(`${tls === undefined ? 'http' : 'https'}://${target}`, tls);
    this.client = client;
    t.teardown(() => client.destroy());
    client.on('error', () => {});
    this.stream = client.request({
      ':method': 'POST',
      ':path': connectPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    this.stream.on('error', () => {});
    this.stream.on('response', (given) => {
      this.headers = given;
    });
    this.stream.on('trailers', (given) => {
      this.trailers = given;
    });
    this.stream.pause();
  }

  read(): this {
    this.stream.on('data', (bytes: Buffer) => {
      this.received += bytes.length;
    });
    this.stream.resume();
    return this;
  }

  /** `grpc-status` and `grpc-message`, as soon as they come. */
  async status(): Promise<string> {
    const given = () => (this.trailers ?? this.headers)?.['grpc-status'];
    await until(() => given() !== undefined || this.stream.closed, 'the status');
    const { 'grpc-status': code, 'grpc-message': message } = this.trailers ?? this.headers ?? {};
    return `${code} ${message}`;
  }
}
