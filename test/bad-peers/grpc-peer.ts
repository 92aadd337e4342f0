import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type Settings,
} from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { decodeCollectorMessage } from '../../proto/messages/collector-message.ts';
import { until } from '../interop/until.ts';
import { connectFields } from './http2-frames.ts';

/** A gRPC message with its prefix. */
export function grpcFrame(message: Uint8Array, isCompressed = false, declared = message.length): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes[0] = isCompressed ? 1 : 0;
  bytes.writeUInt32BE(declared, 1);
  bytes.set(message, 5);
  return bytes;
}

/** A client of the gRPC port that opens streams by hand. */
export class GrpcClient {
  readonly session: ClientHttp2Session;
  goaway: string | undefined;

  /**
   * @param address that it comes from
   * @param secure with TLS; without it there is none
   */
  constructor(port: number, address: string, settings: Settings = {}, secure?: ConnectionOptions) {
    const options = { port, host: '127.0.0.1', localAddress: address };
    this.session = connect(`http${secure === undefined ? '' : 's'}://127.0.0.1:${port}`, {
      settings,
      // In megabytes: it may have much to send.
      maxSessionMemory: 1000,
      createConnection: () =>
        secure === undefined
          ? connectTcp(options)
          : connectTls({ ...options, ALPNProtocols: ['h2'], ...secure }),
    });
    this.session.on('error', () => {});
    this.session.on('goaway', (code: number, _last: number, text?: Buffer) => {
      this.goaway = `GOAWAY ${code} ${text ?? ''}`.trim();
    });
  }

  open(fields: Readonly<Record<string, string>> = {}): GrpcPeer {
    return new GrpcPeer(this.session.request({ ...connectFields, ...fields }), this);
  }

  destroy(): void {
    this.session.destroy();
  }
}

/** A stream whose messages are any bytes. */
export class GrpcPeer {
  readonly stream: ClientHttp2Stream;
  readonly #client: GrpcClient;
  #reply = Buffer.alloc(0);
  #status: IncomingHttpHeaders | undefined;

  constructor(stream: ClientHttp2Stream, client: GrpcClient) {
    this.stream = stream;
    this.#client = client;
    stream.on('error', () => {});
    stream.on('data', (bytes: Buffer) => {
      this.#reply = Buffer.concat([this.#reply, bytes]);
    });
    const take = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) this.#status = headers;
    };
    stream.on('response', take).on('trailers', take);
  }

  send(...messages: readonly Uint8Array[]): this {
    return this.bytes(Buffer.concat(messages.map((message) => grpcFrame(message))));
  }

  bytes(payload: Uint8Array): this {
    if (!this.stream.destroyed && !this.stream.closed) this.stream.write(payload);
    return this;
  }

  /** What the collector sent, in order: the kinds of its messages. */
  get received(): string[] {
    const kinds: string[] = [];
    for (let at = 0; at + 5 <= this.#reply.length; ) {
      const end = at + 5 + this.#reply.readUInt32BE(at + 1);
      if (end > this.#reply.length) break;
      kinds.push(decodeCollectorMessage(this.#reply.subarray(at + 5, end)).type);
      at = end;
    }
    return kinds;
  }

  /** How the stream came to its end: `3 what is wrong`, else `RST 11`, with GOAWAY where that came. */
  async end(timeoutMs = 15_000): Promise<string> {
    await until(() => this.#status !== undefined || this.stream.closed, 'the end of the stream', timeoutMs);
    if (this.#status === undefined) return this.#client.goaway ?? `RST ${this.stream.rstCode}`;
    return `${this.#status['grpc-status']} ${decodeURI(String(this.#status['grpc-message'] ?? ''))}`;
  }
}
