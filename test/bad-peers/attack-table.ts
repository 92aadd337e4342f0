import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { FairQueue } from '../../collector/receivers/fair-queue.ts';
import { until } from '../interop/until.ts';
import { type Attack, runAttack } from './attack.ts';
import type { GoodAgent } from './good-agent.ts';
import type { Victim } from './victim.ts';

/** What may be left of all attacks together, compiled code and pools included. */
const maxGrowthBytes = 24 * 1024 * 1024;
/** So long nobody else has had a turn. A few times what is seen, since processors differ. */
const longestTurnMs = 600;
/** Strangers do not fill a disk: of what they do again and again few lines are written. */
const maxLogLines = 1000;

/** The collector of a table, and the well-behaved agent beside those that attack it. */
export interface Scene {
  readonly victim: Victim;
  readonly agent: GoodAgent;
  /** What its counter is shown as; `undefined` when it is not shown. */
  shownCount(): Promise<number | undefined>;
  /** What was presented as a secret and is in no log. */
  readonly secrets?: readonly string[];
}

/** One test for each row and port, with what has to hold for all of them together. */
export function testAttacks(table: readonly Attack[], setUp: () => Promise<Scene>): void {
  let scene: Scene;
  let memoryBefore = 0;

  test.before(async () => {
    scene = await setUp();
    await scene.agent.start();
    memoryBefore = await scene.victim.memory();
  });

  /** So many at a time: they harm each other as little as the agent, or one of them fails. */
  const slots = new FairQueue(8);

  for (const attack of table)
    for (const port of attack.ports)
      test(`${port}: ${attack.title}`, async (t) => {
        const { victim, agent } = scene;
        const answer = await slots.run(port, () => runAttack(attack, victim, port));
        if (typeof attack.answer === 'string') t.is(answer, attack.answer);
        else t.regex(answer, attack.answer);
        await t.notThrowsAsync(agent.check(async () => (await victim.turns()).waitedMs));
        t.true(victim.isAlive);
      });

  test.after('nothing was lost, nothing failed unseen, and memory is back at its level', async (t) => {
    const { victim, agent, shownCount, secrets = [] } = scene;
    const count = await agent.stop();
    t.is(await shownCount(), count);
    t.deepEqual(await victim.failures(), []);
    const logs = await victim.logs();
    t.true(logs.length > 0 && logs.length < maxLogLines, `${logs.length} lines`);
    for (const line of logs) {
      t.notRegex(line, /\p{Cc}/u);
      for (const secret of secrets) t.false(line.includes(secret), line);
    }
    const { busiestMs } = await victim.turns();
    t.true(busiestMs < longestTurnMs, `one turn took ${busiestMs} ms`);
    let memory = 0;
    await until(
      async () => {
        memory = await victim.memory();
        if (memory - memoryBefore < maxGrowthBytes) return true;
        await delay(100);
        return false;
      },
      `memory to fall below ${memoryBefore + maxGrowthBytes}`,
      20_000,
    );
    t.log(
      `${Math.round(memoryBefore / 1e6)} MB before, ${Math.round(memory / 1e6)} MB after, ${logs.length} lines, longest turn ${Math.round(busiestMs)} ms`,
    );
  });
  test.after.always(() => scene?.victim.stop());
}
