import test from 'ava';
import { LabelTexts } from '../../../otel/prometheus/seen-series.ts';

test('each text is new once, in small sets and in large ones', (t) => {
  const texts = new LabelTexts();
  const text = (i: number) => `,server_address="server-${i}.example.net"`;
  for (let round = 0; round < 2; round++) {
    let added = 0;
    for (let i = 0; i < 20_000; i++) if (texts.add(text(i))) added++;
    t.is(added, round === 0 ? 20_000 : 0);
  }
  t.true(texts.add(''));
  t.false(texts.add(''));
});
