import test from 'ava';
import { InvalidDataError, StreamgaugeError } from '../../proto/error.ts';

test('anything thrown becomes an error with a kind', (t) => {
  const kindOf = (thrown: unknown) => StreamgaugeError.from(thrown).kind;
  const withCode = (code: string) => Object.assign(new Error('no'), { code });
  t.is(kindOf(new DOMException('no', 'AbortError')), 'cancelled');
  t.is(kindOf(AbortSignal.timeout(0).reason ?? new DOMException('no', 'TimeoutError')), 'deadline');
  t.is(kindOf(withCode('ECONNREFUSED')), 'unavailable');
  t.is(kindOf(withCode('ETIMEDOUT')), 'deadline');
  t.is(kindOf(withCode('ENOENT')), 'bug');
  t.is(kindOf('text'), 'bug');
  const own = new InvalidDataError('is 5', { fieldPath: 'series[1]' });
  t.is(StreamgaugeError.from(own), own);
  t.is(own.message, 'series[1]: is 5');
  t.is(own.name, 'InvalidDataError');
});

test('the kind decides what may be tried again, unless told otherwise', (t) => {
  t.false(new InvalidDataError('no').retryable);
  t.true(new StreamgaugeError('unavailable', 'no').retryable);
  t.false(new StreamgaugeError('unavailable', 'no', { retryable: false }).retryable);
  const cause = new Error('inner');
  const error = new StreamgaugeError('overloaded', 'full', { cause, retryDelayMs: 50 });
  t.is(error.cause, cause);
  t.is(error.retryDelayMs, 50);
});
