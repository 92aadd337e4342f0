// `node load.ts FOLDER SECONDS`: keeps a machine busy, within bounds, so that its host metrics change: of each tenth of a second 40 ms of CPU, a
// file written and flushed, traffic over a loopback connection, a short-lived child. Ends by itself.
import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import path from 'node:path';

const [folder, seconds] = process.argv.slice(2);
if (folder === undefined || !(Number(seconds) > 0)) throw new Error('usage: load.ts FOLDER SECONDS');
const endMs = performance.now() + Number(seconds) * 1000;
const block = Buffer.alloc(64 * 1024, 'streamgauge');
mkdirSync(folder, { recursive: true });

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until) Math.hypot(Math.random(), Math.random());
}

function write(file: string): void {
  const fd = openSync(file, 'w');
  for (let i = 0; i < 1 + Math.random() * 8; i++) writeSync(fd, block);
  fdatasyncSync(fd);
  closeSync(fd);
  rmSync(file);
}

const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1', () => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
    const timer = setInterval(() => {
      if (performance.now() > endMs) {
        clearInterval(timer);
        socket.destroy();
        server.close();
        return;
      }
      burn(20 + Math.random() * 40);
      write(path.join(folder, 'written'));
      if (!socket.writableNeedDrain) {
        socket.write(block.subarray(0, Math.ceil(Math.random() * block.length)));
      }
      if (Math.random() < 0.3) spawnSync('true');
    }, 100);
  });
});
