import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Session, SessionPeer } from '../sessions/session.ts';
import type { EndCause } from '../sessions/session-counters.ts';
import { resetStream } from './reset-stream.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;

/** What the peer is told when the collector ends its stream: the one place where causes become gRPC statuses. */
const statusOf: Record<EndCause, status> = {
  goodbye: status.OK,
  half_closed: status.OK,
  clone: status.ALREADY_EXISTS,
  displaced: status.ALREADY_EXISTS,
  invalid: status.INVALID_ARGUMENT,
  limit: status.RESOURCE_EXHAUSTED,
  deadline: status.DEADLINE_EXCEEDED,
  draining: status.UNAVAILABLE,
};

/** What the streams of a port are given. */
export interface StreamTimes {
  /** Hello comes within this, or the stream ends. */
  readonly helloDeadlineMs: number;
  /** A peer that has not let go of a stream that we ended is cut off after this. */
  readonly lingerMs: number;
}

/** An agent that leaves this much of what it is sent unread is cut off. */
const maxUnreadBytes = 1024 * 1024;
/** What a message costs while it waits, beside its bytes: objects, and gRPC's and HTTP/2's headers. */
const messageOverheadBytes = 256;

/** Joins a gRPC call and the session that it carries. */
export function serveStream(
  call: Call,
  open: (peer: SessionPeer) => Session,
  { helloDeadlineMs, lingerMs }: StreamTimes,
  onBug: (error: unknown) => void,
): void {
  // The call counts messages, not bytes.
  let unreadBytes = 0;
  const session = open({
    address: call.getPeer(),
    send(bytes) {
      const cost = bytes.length + messageOverheadBytes;
      unreadBytes += cost;
      if (unreadBytes > maxUnreadBytes) {
        session.end('limit', 'the agent does not read what it is sent');
        resetStream(call);
        return;
      }
      call.write(bytes, () => {
        unreadBytes -= cost;
      });
    },
    end(cause, message) {
      clearTimeout(deadline);
      setTimeout(() => resetStream(call), lingerMs).unref();
      if (statusOf[cause] === status.OK) call.end();
      else call.emit('error', { code: statusOf[cause], details: message });
    },
  });
  const deadline = setTimeout(() => {
    if (session.state === 'waiting') session.end('deadline', `no hello came within ${helloDeadlineMs} ms`);
  }, helloDeadlineMs);
  deadline.unref();
  call.on('data', (bytes: Buffer) => {
    try {
      session.receive(bytes);
    } catch (error) {
      onBug(error);
      call.emit('error', {
        code: status.INTERNAL,
        details: 'the collector failed on this message; its log says why',
      });
      session.closed();
    }
  });
  call.on('end', () => session.receivedEnd());
  call.on('cancelled', () => session.closed());
  call.on('close', () => {
    clearTimeout(deadline);
    session.closed();
  });
  call.on('error', () => session.closed());
}
