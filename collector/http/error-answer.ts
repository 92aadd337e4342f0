import { type ErrorKind, StreamgaugeError } from '../../proto/error.ts';
import type { Denial } from '../security/denial.ts';
import { challenge, refusalStatus } from '../security/port-guard.ts';
import { BodyTooLargeError } from './read-body.ts';
import { type Answer, textAnswer } from './route.ts';

const statuses: Readonly<Record<ErrorKind, number>> = {
  config: 400,
  invalid_data: 400,
  overloaded: 503,
  unavailable: 503,
  deadline: 504,
  cancelled: 503,
  bug: 500,
};

/** The answer to a client that is not let in. Its connection ends: what is left of its request is not read. */
export function denialAnswer(denial: Denial): Answer {
  return textAnswer(refusalStatus(denial).http, `Not let in: ${denial.reason}.`, {
    'WWW-Authenticate': challenge(denial),
    Connection: 'close',
  });
}

/** The one place where failures become HTTP statuses. A bug's text stays inside: it may hold what is nobody's business. */
export function errorAnswer(thrown: unknown): Answer {
  const error = StreamgaugeError.from(thrown);
  if (error.kind === 'bug') return textAnswer(500, 'This failed inside the collector; its log says more.');
  const status = error instanceof BodyTooLargeError ? 413 : statuses[error.kind];
  const { retryDelayMs } = error;
  const headers: Record<string, string> =
    retryDelayMs === undefined ? {} : { 'Retry-After': `${Math.ceil(retryDelayMs / 1000)}` };
  // What is left of a body that is not read would be taken for the next request.
  if (status === 413) headers.Connection = 'close';
  return textAnswer(status, error.message, headers);
}
