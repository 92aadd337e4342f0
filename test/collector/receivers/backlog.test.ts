import test from 'ava';
import type { Backlog } from '../../../collector/receivers/backlog.ts';
import { StreamgaugeError } from '../../../proto/error.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { until } from '../../interop/until.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { startReceiver } from './receiver.ts';

const hello = framed(helloBytes());
const answer = framed(encodeAgentMessage({ type: 'answer', instruction: 1, error: '' }));
const goodbye = framed(encodeAgentMessage({ type: 'goodbye', lastReport: 0 }));

/** A backlog that a test sets. */
class SetBacklog implements Backlog {
  isCongested = false;
  readonly #waiting: (() => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(isCongested: boolean): void {
    this.isCongested = isCongested;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

for (const isGrpcJs of [false, true]) {
  const kind = isGrpcJs ? "grpc-js'" : 'ours';

  test(`while what came is not kept, a stream is not read on, and then goes on (${kind})`, async (t) => {
    const backlog = new SetBacklog();
    const { core, target, bugs } = await startReceiver(t, { isGrpcJs, security: { backlog } });
    backlog.isCongested = true;
    const peer = new Http2Peer(t, target).read();
    peer.stream.write(Buffer.concat([hello, answer, goodbye]));
    // It comes with the first message to the place where it waits.
    await until(() => backlog.waiting > 0, 'the stream to wait');
    t.is(core.counters.streamsWelcomed, 1);
    t.is(core.counters.receivedBytes, hello.length - 5);
    backlog.release(true);
    await until(() => backlog.waiting > 0, 'the stream to wait again');
    t.is(core.counters.receivedBytes, hello.length + answer.length - 10);
    t.is(core.sessions.size, 1);
    backlog.release(false);
    t.is(await peer.status(), '0 OK');
    t.is(core.counters.streamsEnded.goodbye, 1);
    t.is(bugs.length, isGrpcJs ? 1 : 0, 'but for what is said at the start');
  });

  test(`a stream that cannot be taken in now may come again, and nothing breaks (${kind})`, async (t) => {
    const { core, target, bugs } = await startReceiver(t, { isGrpcJs });
    const { sessions } = core;
    const open = sessions.open.bind(sessions);
    sessions.open = () => {
      throw new StreamgaugeError('overloaded', 'too much waits');
    };
    const refused = new Http2Peer(t, target).read();
    refused.stream.write(hello);
    t.is(await refused.status(), '14 too%20much%20waits');
    t.is(core.counters.streamsEnded.overloaded, 1);
    t.is(sessions.size, 0);
    sessions.open = open;
    const taken = new Http2Peer(t, target).read();
    taken.stream.write(Buffer.concat([hello, goodbye]));
    t.is(await taken.status(), '0 OK');
    t.is(bugs.length, isGrpcJs ? 1 : 0, 'but for what is said at the start');
  });
}
