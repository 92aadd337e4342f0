import test from 'ava';
import { FairQueue } from '../../collector/receivers/fair-queue.ts';
import { until } from '../interop/until.ts';
import { runAttack } from './attack.ts';
import { bytesAttacks } from './bytes-attacks.ts';
import { GoodAgent } from './good-agent.ts';
import { http1Attacks } from './http1-attacks.ts';
import { http2Attacks } from './http2-attacks.ts';
import { messageAttacks } from './message-attacks.ts';
import { otlpAttacks } from './otlp-attacks.ts';
import { Victim } from './victim.ts';

// The table over ports and parsers: whoever adds a port, an endpoint or a parser adds its rows.
const table = [...bytesAttacks, ...http2Attacks, ...messageAttacks, ...otlpAttacks, ...http1Attacks];

/** What may be left of all attacks together, compiled code and pools included. */
const maxGrowthBytes = 24 * 1024 * 1024;
/** So long nobody else has had a turn. A few times what is seen, since processors differ. */
const longestTurnMs = 600;
/** Strangers do not fill a disk: of what they do again and again few lines are written. */
const maxLogLines = 1000;

let victim: Victim;
let agent: GoodAgent;
let memoryBefore = 0;

test.before(async () => {
  victim = await Victim.start();
  agent = new GoodAgent(victim.addresses.grpc, 'good');
  await agent.start();
  memoryBefore = await victim.memory();
});

/** So many at a time: they harm each other as little as the agent, or one of them fails. */
const slots = new FairQueue(4);

for (const attack of table)
  for (const port of attack.ports)
    test(`${port}: ${attack.title}`, async (t) => {
      const answer = await slots.run(port, () => runAttack(attack, victim, port));
      if (typeof attack.answer === 'string') t.is(answer, attack.answer);
      else t.regex(answer, attack.answer);
      await t.notThrowsAsync(agent.check(async () => (await victim.turns()).waitedMs));
      t.true(victim.isAlive);
    });

test.after('nothing was lost, nothing failed unseen, and memory is back at its level', async (t) => {
  const count = await agent.stop();
  const text = await (await fetch(`http://${victim.addresses.http}/metrics`)).text();
  const [, shown] = /^good_things_total\{[^}]*\} (\d+)/m.exec(text) ?? [];
  t.is(Number(shown), count);
  t.deepEqual(await victim.failures(), []);
  const logs = await victim.logs();
  t.true(logs.length > 0 && logs.length < maxLogLines, `${logs.length} lines`);
  for (const line of logs) t.notRegex(line, /\p{Cc}/u);
  const { busiestMs } = await victim.turns();
  t.true(busiestMs < longestTurnMs, `one turn took ${busiestMs} ms`);
  let memory = 0;
  await until(
    async () => {
      memory = await victim.memory();
      return memory - memoryBefore < maxGrowthBytes;
    },
    `memory to fall below ${memoryBefore + maxGrowthBytes}`,
    20_000,
  );
  t.log(
    `${Math.round(memoryBefore / 1e6)} MB before, ${Math.round(memory / 1e6)} MB after, ${logs.length} lines, longest turn ${Math.round(busiestMs)} ms`,
  );
});
test.after.always(() => victim?.stop());
