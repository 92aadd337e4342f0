import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Session, SessionPeer } from '../sessions/session.ts';
import type { EndCause } from '../sessions/session-counters.ts';

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

/** An agent that reads nothing for so much of what we send is cut off. */
const maxUnreadBytes = 1024 * 1024;

/** Joins a gRPC call and the session that it carries. */
export function serveStream(
  call: Call,
  open: (peer: SessionPeer) => Session,
  helloDeadlineMs: number,
  onBug: (error: unknown) => void,
): void {
  const session = open({
    address: call.getPeer(),
    send(bytes) {
      if (call.writableLength > maxUnreadBytes)
        session.end('limit', 'the agent does not read what it is sent');
      else call.write(bytes);
    },
    end(cause, message) {
      clearTimeout(deadline);
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
