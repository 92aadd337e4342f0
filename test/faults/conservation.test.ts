import test from 'ava';
import { conserves, seedOfRun } from '../integration/conservation/conserves.ts';

// STREAMGAUGE_TEST_SECONDS is how long each of the two worlds goes on.
const seconds = Number(process.env.STREAMGAUGE_TEST_SECONDS ?? 25);
const seed = seedOfRun();

test.serial('few hosts, for long', conserves, { hosts: 3, durationMs: seconds * 1000 }, seed);
test.serial('many hosts, for long', conserves, { hosts: 12, durationMs: seconds * 1000 }, seed + 1);
