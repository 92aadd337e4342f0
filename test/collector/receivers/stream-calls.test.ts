import { constants } from 'node:http2';
import test from 'ava';
import { until } from '../../interop/until.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { startReceiver } from './receiver.ts';

for (const isGrpcJs of [false, true]) {
  const calls = isGrpcJs ? 'calls of grpc-js' : 'calls on HTTP/2 streams';

  test(`${calls}: a peer that reads nothing is cut off, whatever it is sent, and soon`, async (t) => {
    const { core, target } = await startReceiver(t, { isGrpcJs });
    const { stream } = new Http2Peer(t, target);
    stream.write(framed(helloBytes()));
    await until(() => core.counters.streamsWelcomed === 1, 'the welcome');
    const session = [...core.sessions][0];
    // Instructions are what can be sent without an agent's doing. Their bytes and what they cost are far below what a count of messages would bound.
    let sent = 0;
    while (session.state === 'open' && sent < 100_000) {
      session.drain(1000);
      sent++;
      if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    t.is(session.state, 'ended');
    t.true(sent < 10_000, `cut off after ${sent} messages`);
    t.is(core.counters.streamsEnded.limit, 1);
    stream.resume();
    await until(() => stream.closed, 'the stream to be reset');
    t.is(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test(`${calls}: a peer that does not let go of a stream that was ended is cut off after a while`, async (t) => {
    const { core, target } = await startReceiver(t, { isGrpcJs, lingerMs: 50 });
    const { stream } = new Http2Peer(t, target).read();
    stream.write(framed(Buffer.from([0xff])));
    await until(() => core.counters.streamsEnded.invalid === 1, 'the end');
    // It neither half-closes nor stops sending.
    await until(() => stream.closed, 'the stream to be reset');
    t.is(core.sessions.size, 0);
  });

  test(`${calls}: a failure of the collector itself ends the stream with INTERNAL, and is told`, async (t) => {
    const { core, target, bugs } = await startReceiver(t, { isGrpcJs });
    core.store.join = () => {
      throw new TypeError('broken');
    };
    const peer = new Http2Peer(t, target).read();
    peer.stream.write(framed(helloBytes()));
    t.regex(await peer.status(), /^13 .*its%20log%20says%20why/);
    t.regex(String(bugs.at(-1)), /TypeError: broken/);
    await until(() => core.sessions.size === 0, 'the session to be gone');
  });

  test(`${calls}: a stream that the peer resets is gone, and so is one whose connection is cut`, async (t) => {
    const { core, target } = await startReceiver(t, { isGrpcJs });
    for (const cut of [
      ({ stream }: Http2Peer) => stream.close(constants.NGHTTP2_CANCEL),
      ({ stream }: Http2Peer) => stream.session?.destroy(),
    ]) {
      const peer = new Http2Peer(t, target).read();
      peer.stream.write(framed(helloBytes()));
      await until(() => peer.received > 0, 'the welcome');
      t.is(core.sessions.size, 1);
      cut(peer);
      await until(() => core.sessions.size === 0, 'the session to be gone');
    }
  });
}
