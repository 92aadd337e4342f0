import { status } from '@grpc/grpc-js';
import type { Denial } from '../security/denial.ts';
import type { Grant } from '../security/grant.ts';
import type { Session } from '../sessions/session.ts';
import type { EndCause } from '../sessions/session-counters.ts';
import type { SessionPeer } from '../sessions/session-host.ts';
import type { AgentCall } from './agent-call.ts';

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
  overloaded: status.UNAVAILABLE,
  unauthenticated: status.UNAUTHENTICATED,
  denied: status.PERMISSION_DENIED,
};

/** An agent that leaves this much of what it is sent unread is cut off. */
const maxUnreadBytes = 1024 * 1024;
/** What a message costs while it waits, beside its bytes: objects, and gRPC's and HTTP/2's headers. */
const messageOverheadBytes = 256;

/** What the agent may do and write, where that has bounds, and who is told that it went beyond. */
export interface StreamCredentials {
  readonly grant?: Grant | undefined;
  readonly onDenied?: (denial: Denial) => void;
}

/**
 * Joins a gRPC call and the session that it carries, which it gives.
 * @param helloDeadlineMs Hello comes within this, or the stream ends
 */
export function serveStream(
  call: AgentCall,
  open: (peer: SessionPeer) => Session,
  helloDeadlineMs: number,
  onBug: (error: unknown) => void,
  { grant, onDenied }: StreamCredentials = {},
): Session {
  // The transport counts messages, not bytes.
  let unreadBytes = 0;
  const session = open({
    address: call.address,
    grant,
    denied: onDenied,
    send(bytes) {
      const cost = bytes.length + messageOverheadBytes;
      unreadBytes += cost;
      if (unreadBytes > maxUnreadBytes) {
        session.end('limit', 'the agent does not read what it is sent');
        call.reset();
        return;
      }
      call.write(bytes, () => {
        unreadBytes -= cost;
      });
    },
    end(cause, message) {
      clearTimeout(deadline);
      call.end(statusOf[cause], message);
    },
  });
  const deadline = setTimeout(() => {
    if (session.state === 'waiting') session.end('deadline', `no hello came within ${helloDeadlineMs} ms`);
  }, helloDeadlineMs);
  deadline.unref();
  call.listen({
    message(bytes) {
      try {
        session.receive(bytes);
      } catch (error) {
        onBug(error);
        call.end(status.INTERNAL, 'the collector failed on this message; its log says why');
        session.closed();
      }
    },
    halfClosed: () => session.receivedEnd(),
    closed() {
      clearTimeout(deadline);
      session.closed();
    },
  });
  return session;
}
