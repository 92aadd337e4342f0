import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { until } from '../interop/until.ts';
import { clientPreface, framesIn, frameType, settings } from './http2-frames.ts';

const keptBytes = 256 * 1024;

/** A connection that sends any bytes, and what came back. */
export class RawPeer {
  readonly socket: Socket;
  reply = Buffer.alloc(0);
  closed = false;

  /**
   * @param address that it comes from
   * @param secure with TLS; without it there is none
   */
  constructor(port: number, address: string, secure?: ConnectionOptions) {
    const options = { port, host: '127.0.0.1', localAddress: address };
    this.socket = secure === undefined ? connect(options) : connectTls({ ...options, ...secure });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes: Buffer) => {
      if (this.reply.length < keptBytes) this.reply = Buffer.concat([this.reply, bytes]);
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(...parts: readonly (Uint8Array | string)[]): this {
    for (const part of parts) if (this.socket.writable) this.socket.write(part);
    return this;
  }

  /** Sends again and again, as fast as it is taken, for so often or until the connection is closed. */
  async flood(bytes: Uint8Array | string, times: number): Promise<void> {
    for (let i = 0; i < times && !this.closed; i++) {
      if (this.socket.write(bytes)) {
        if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.socket.off('drain', go).off('close', go);
          clearTimeout(timer);
          resolve();
        };
        // Who is not read any more is not waited for.
        const timer = setTimeout(go, 200);
        this.socket.once('drain', go).once('close', go);
      });
    }
  }

  async ended(timeoutMs = 15_000): Promise<this> {
    await until(() => this.closed, 'the connection to be closed', timeoutMs);
    return this;
  }

  /** The preface and our settings. */
  greet(values: Readonly<Record<number, number>> = {}): this {
    return this.send(clientPreface, settings(values));
  }

  /** The first line of an HTTP/1 answer. */
  get statusLine(): string {
    return this.reply.toString('latin1').split('\r\n', 1)[0]!;
  }

  /** `GOAWAY 11 text`, when it came. */
  get goaway(): string | undefined {
    const found = framesIn(this.reply).find(({ type }) => type === frameType.goaway)?.payload;
    if (found === undefined) return undefined;
    return `GOAWAY ${found.readUInt32BE(4)} ${found.subarray(8)}`.trim();
  }

  /** The code with which a stream was reset. */
  reset(stream: number): number | undefined {
    return framesIn(this.reply)
      .find((each) => each.type === frameType.rstStream && each.stream === stream)
      ?.payload.readUInt32BE(0);
  }

  /** Whether a stream has had an answer. */
  answered(stream: number): boolean {
    return framesIn(this.reply).some((each) => each.type === frameType.headers && each.stream === stream);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
