/**
 * What kind of failure it is, and so what to do about it:
 * - `config`: the set-up is wrong; the process ends with exit code 1.
 * - `invalid_data`: what came in is wrong; the same input would fail again. Counted, and rejected to the sender.
 * - `overloaded`: a limit is reached; the same input may be accepted later.
 * - `unavailable`: a peer or a resource cannot be reached.
 * - `deadline`: it took too long.
 * - `cancelled`: somebody called it off.
 * - `bug`: this program is wrong.
 */
export type ErrorKind =
  | 'config'
  | 'invalid_data'
  | 'overloaded'
  | 'unavailable'
  | 'deadline'
  | 'cancelled'
  | 'bug';

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Whether the same thing may succeed later; without it the kind decides. */
  readonly retryable?: boolean;
  /** Where trying again may help: not before this many milliseconds. */
  readonly retryDelayMs?: number;
}

/** The base of all errors that this program makes itself. */
export class StreamgaugeError extends Error {
  override readonly name: string = 'StreamgaugeError';
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly retryDelayMs: number | undefined;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryable =
      options.retryable ?? (kind === 'overloaded' || kind === 'unavailable' || kind === 'deadline');
    this.retryDelayMs = options.retryDelayMs;
  }

  /** Any thrown thing as a StreamgaugeError: ours as it is, the platform's by name or code, everything else as a bug. */
  static from(thrown: unknown): StreamgaugeError {
    if (thrown instanceof StreamgaugeError) return thrown;
    if (!(thrown instanceof Error)) return new StreamgaugeError('bug', String(thrown), { cause: thrown });
    return new StreamgaugeError(kindOf(thrown), thrown.message, { cause: thrown });
  }
}

const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
]);

function kindOf(error: Error): ErrorKind {
  if (error.name === 'AbortError') return 'cancelled';
  if (error.name === 'TimeoutError') return 'deadline';
  const code = (error as { code?: unknown }).code;
  if (code === 'ETIMEDOUT') return 'deadline';
  return typeof code === 'string' && unavailableCodes.has(code) ? 'unavailable' : 'bug';
}

/** Input from outside that breaks a rule. The message says what was found and what is allowed. */
export class InvalidDataError extends StreamgaugeError {
  override readonly name: string = 'InvalidDataError';
  /** The field at fault, as a path: `series[12].attributes[3].value`. Empty where there is none. */
  readonly fieldPath: string;

  constructor(message: string, options: { cause?: unknown; fieldPath?: string } = {}) {
    const { cause, fieldPath = '' } = options;
    super('invalid_data', fieldPath === '' ? message : `${fieldPath}: ${message}`, { cause });
    this.fieldPath = fieldPath;
  }
}

/** Input that is well formed but needs a capability that was not offered. */
export class CapabilityError extends InvalidDataError {
  override readonly name = 'CapabilityError';
}
