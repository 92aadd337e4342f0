import test from 'ava';
import { plainDetails } from '../../../otel/export/grpc-details.ts';

test('an empty note on name resolution is left out, and nothing else is', (t) => {
  const refused = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1';
  t.is(plainDetails(`${refused}. Resolution note: `), refused);
  t.is(plainDetails(`${refused} (2026). Resolution note:`), `${refused} (2026)`);
  const noted = `${refused}. Resolution note: no such host`;
  for (const as of [noted, refused, 'because', '']) t.is(plainDetails(as), as);
});
