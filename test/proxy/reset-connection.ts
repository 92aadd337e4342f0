import type { Socket } from 'node:net';

/**
 * Breaks a connection with a reset, whatever has been written and not been sent. One that is being ended is closed instead, which is as abrupt:
 * Node (24.21) cannot reset a socket while its shutdown is under way. It says EINVAL then, takes the socket for closed and never closes it, and the
 * process, when all else has ended, waits for it for ever.
 */
export function resetConnection(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
