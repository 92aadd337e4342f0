import type { Http2Server } from 'node:http2';

/**
 * Ends the connections that a server accepts from here on when their peers are gone: after `timeMs` without traffic a ping is sent, and a
 * connection on which it is not answered within `timeoutMs` is closed, its streams with it. grpc-js' own keepalive pings whatever else is
 * said, which is a tenth of what a quiet agent's stream costs.
 */
export function keepAlive(server: Http2Server, timeMs: number, timeoutMs: number): void {
  server.on('session', (session) => {
    session.setTimeout(timeMs);
    session.on('timeout', () => {
      const lost = setTimeout(() => session.destroy(), timeoutMs);
      lost.unref();
      const isSent = session.ping(() => {
        clearTimeout(lost);
        // An answer is no traffic to the timer, which is over.
        if (!session.destroyed) session.setTimeout(timeMs);
      });
      // Too many pings are under way, which is a peer that answers none.
      if (!isSent) session.destroy();
    });
  });
}
