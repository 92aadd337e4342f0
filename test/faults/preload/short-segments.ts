// Loaded before a collector: segments of its journal are so short that they come and go within a test.
import { Recovery } from '../../../collector/journal/recovery.ts';

const segmentBytes = 64 * 1024;
const { begin } = Recovery.prototype;
Recovery.prototype.begin = function (this: Recovery, options = {}) {
  return begin.call(this, { ...options, segmentBytes });
};
