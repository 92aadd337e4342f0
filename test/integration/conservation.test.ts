import test from 'ava';
import { conserves } from './conservation/conserves.ts';

test(
  'whatever is cut off, held back, killed or refused in between, outputs are what was counted',
  conserves,
  {
    hosts: 3,
    durationMs: 4000,
  },
);
