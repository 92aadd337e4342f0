import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A free TCP port on 127.0.0.1 for a server of another program that is stopped and started again: from below the range the system
 * gives to outgoing connections, so that nobody takes it in between.
 */
export async function fixedPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 15_000 + Math.floor(Math.random() * 16_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]).catch(() => false);
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port from 15000 to 30999 on 127.0.0.1 in 100 attempts');
}
