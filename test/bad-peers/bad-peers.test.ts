import { testAttacks } from './attack-table.ts';
import { bytesAttacks } from './bytes-attacks.ts';
import { GoodAgent, goodThings } from './good-agent.ts';
import { http1Attacks } from './http1-attacks.ts';
import { http2Attacks } from './http2-attacks.ts';
import { memberAttacks } from './member-attacks.ts';
import { messageAttacks } from './message-attacks.ts';
import { otlpAttacks } from './otlp-attacks.ts';
import { otlpContentAttacks, shownAttacks } from './otlp-content-attacks.ts';
import { Victim } from './victim.ts';

// The table over ports and parsers: whoever adds a port, an endpoint or a parser adds its rows, those of TLS and tokens to
// secure-ports.test.ts.
const table = [
  ...bytesAttacks,
  ...http2Attacks,
  ...messageAttacks,
  ...memberAttacks,
  ...otlpAttacks,
  ...otlpContentAttacks,
  ...shownAttacks,
  ...http1Attacks,
];

testAttacks(table, async () => {
  const victim = await Victim.start();
  return {
    victim,
    agent: new GoodAgent(victim.addresses.grpc, 'good'),
    async shownCount() {
      return goodThings(await (await fetch(`http://${victim.addresses.http}/metrics`)).text());
    },
  };
});
