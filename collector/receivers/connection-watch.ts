import { constants, type Http2Server, type Http2Session, type ServerHttp2Session } from 'node:http2';
import type { GrpcPortLimits } from '../config/limits-config.ts';
import type { PortExceeded } from '../security/exceeded.ts';
import { TokenBucket } from '../security/token-bucket.ts';

/** Pings and settings that a connection may send: more than any keepalive does, and than a sensible client ever has to say. */
const pingsPerSecond = 10;
const pingsAtOnce = 100;
const settingsPerSecond = 1;
const settingsAtOnce = 20;
/** The highest stream number: what GOAWAY names when no stream that is under way is turned away. */
const allStreams = 2 ** 31 - 1;

export interface ConnectionWatchOptions {
  readonly limits: Pick<GrpcPortLimits, 'handshakeTimeoutMs' | 'idleTimeoutMs'>;
  /** About so old a connection is asked to move on; `undefined`: never. */
  readonly maxAgeMs: number | undefined;
  readonly maxAgeGraceMs: number;
  /** A connection has come to its age: its agents are to be told to leave. */
  readonly onAge: (session: Http2Session) => void;
  readonly exceeded: PortExceeded;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * Looks after the HTTP/2 connections that a server accepts from here on: those that say nothing, ask for nothing, are old, or keep the
 * port busy with frames that ask for an answer are ended. grpc-js' own ages and idle times do not see the streams that are served beside it.
 */
export function watchConnections(server: Http2Server, options: ConnectionWatchOptions): void {
  server.on('session', (session) => {
    const address = `${session.socket?.remoteAddress}:${session.socket?.remotePort}`;
    watchHandshake(session, address, options);
    watchIdle(session, address, options);
    watchFloods(session, address, options);
    if (options.maxAgeMs !== undefined) watchAge(session, address, options.maxAgeMs, options);
  });
}

function watchHandshake(
  session: ServerHttp2Session,
  address: string,
  { limits, exceeded }: ConnectionWatchOptions,
): void {
  const timer = setTimeout(() => {
    exceeded.exceeded(
      'handshake_timeout',
      address,
      `no HTTP/2 settings came within ${limits.handshakeTimeoutMs} ms (grpc.limits.handshake_timeout)`,
    );
    session.destroy();
  }, limits.handshakeTimeoutMs);
  timer.unref();
  session.once('remoteSettings', () => clearTimeout(timer));
  session.once('close', () => clearTimeout(timer));
}

function watchIdle(
  session: ServerHttp2Session,
  address: string,
  { limits, exceeded }: ConnectionWatchOptions,
): void {
  let open = 0;
  const timer = setTimeout(() => {
    // The stream that is open begins the time anew when it ends.
    if (open > 0 || session.closed) return;
    exceeded.exceeded(
      'idle_timeout',
      address,
      `idle for ${limits.idleTimeoutMs} ms (grpc.limits.idle_timeout)`,
    );
    session.close();
  }, limits.idleTimeoutMs);
  timer.unref();
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => {
      open--;
      if (open === 0 && !session.destroyed) timer.refresh();
    });
  });
  session.once('close', () => clearTimeout(timer));
}

function watchFloods(
  session: ServerHttp2Session,
  address: string,
  { exceeded }: ConnectionWatchOptions,
): void {
  const nowMs = performance.now();
  const pings = new TokenBucket(pingsPerSecond, pingsAtOnce, nowMs);
  const settings = new TokenBucket(settingsPerSecond, settingsAtOnce, nowMs);
  const watch = (bucket: TokenBucket, cause: 'pings' | 'settings', said: string) => () => {
    if (session.closed || bucket.take(performance.now())) return;
    exceeded.exceeded(cause, address, `${cause} come more often than a connection needs`);
    goAway(session, constants.NGHTTP2_ENHANCE_YOUR_CALM, said);
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  // This text is gRPC's own: its clients ping less often then.
  session.on('ping', watch(pings, 'pings', 'too_many_pings'));
  session.on('remoteSettings', watch(settings, 'settings', 'too_many_settings'));
}

function watchAge(
  session: ServerHttp2Session,
  address: string,
  maxAgeMs: number,
  { maxAgeGraceMs, onAge, exceeded, random = Math.random }: ConnectionWatchOptions,
): void {
  // Connections that were made together do not all come back together.
  const ageMs = maxAgeMs * (0.9 + 0.2 * random());
  let grace: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    if (session.closed) return;
    exceeded.exceeded('connection_age', address, `${Math.round(ageMs)} ms old (grpc.max_connection_age)`);
    onAge(session);
    goAway(session, constants.NGHTTP2_NO_ERROR, 'max_age');
    session.close();
    grace = setTimeout(() => session.destroy(), maxAgeGraceMs);
    grace.unref();
  }, ageMs);
  timer.unref();
  session.once('close', () => {
    clearTimeout(timer);
    clearTimeout(grace);
  });
}

function goAway(session: ServerHttp2Session, code: number, said: string): void {
  if (!session.destroyed) session.goaway(code, allStreams, Buffer.from(said));
}
