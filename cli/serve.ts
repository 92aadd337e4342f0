import { type EndingSignal, endAtOnce } from './end-at-once.ts';
import { onHangup } from './hangup.ts';

/** A part of the program that runs until it is told to end. `stop` is safe before start and when repeated. */
export interface Service {
  start(): Promise<void>;
  /** Hands on what there is, within the deadline, and says what became of it. Takes nothing new. */
  drain(deadlineMs: number): Promise<{ readonly delivered: boolean } | undefined>;
  stop(): Promise<void>;
}

export interface NamedService {
  /** For the log. */
  readonly name: string;
  readonly service: Service;
}

export interface ServeOptions {
  /** As it is when the first signal comes. */
  readonly shutdownTimeoutMs: number | (() => number);
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** Called when all services have started. */
  readonly onStarted?: () => void;
  /** Called when the first signal has come, before anything is drained. */
  readonly onStopping?: () => void;
  /**
   * Reads the configuration again: called at SIGHUP, once all services have started, one call at a time. What fails it tells itself; it must not reject. Absent:
   * SIGHUP ends the process, as it does where nobody handles it.
   */
  readonly reload?: () => Promise<void>;
}

/** Beyond the deadline: for what services do to stop, and to let go of what does not answer. */
const graceMs = 2000;

/**
 * Starts services in their order, waits for SIGINT or SIGTERM, drains and stops them in the opposite order. A second signal ends
 * the process at once, and so does the deadline when something does not end soon after it, be it a drain or a call to a disk that hangs. When a service
 * cannot start, those before it are stopped and its error is thrown.
 */
export async function serve(services: readonly NamedService[], options: ServeOptions): Promise<void> {
  const { log } = options;
  const first = Promise.withResolvers<EndingSignal>();
  const running = Promise.withResolvers<void>();
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) endAtOnce(signal as EndingSignal);
    isStopping = true;
    first.resolve(signal as EndingSignal);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const { reload } = options;
  const endHangup =
    reload === undefined
      ? () => {}
      : onHangup({
          reload: async () => {
            await running.promise;
            if (!isStopping) await reload();
          },
          terminalGone: () => onSignal('SIGHUP'),
        });
  const started: NamedService[] = [];
  let endedBy: EndingSignal | undefined;
  try {
    for (const named of services) {
      // A service that fails half way has something to stop, too.
      started.unshift(named);
      await named.service.start();
      if (isStopping) break;
    }
    if (!isStopping) options.onStarted?.();
    running.resolve();
    const signal = await first.promise;
    endedBy = signal;
    options.onStopping?.();
    const shutdownTimeoutMs =
      typeof options.shutdownTimeoutMs === 'number' ? options.shutdownTimeoutMs : options.shutdownTimeoutMs();
    log.info(
      { signal, deadlineMs: shutdownTimeoutMs },
      `stopping within ${Math.ceil(shutdownTimeoutMs / 1000)} s; a second signal ends at once`,
    );
    endLate(signal, shutdownTimeoutMs + graceMs, log);
    await drain(started, shutdownTimeoutMs, log);
  } finally {
    for (const { service } of started) await service.stop();
    endHangup();
    for (const signal of signals) process.off(signal, onSignal);
  }
  // With its terminal gone, the runtime may not come to its end by itself.
  if (endedBy === 'SIGHUP') endAtOnce(endedBy);
}

async function drain(
  services: readonly NamedService[],
  deadlineMs: number,
  log: ServeOptions['log'],
): Promise<void> {
  const endsAt = performance.now() + deadlineMs;
  for (const { name, service } of services) {
    try {
      const report = await service.drain(Math.max(0, endsAt - performance.now()));
      const fields = { service: name, drained: report };
      if (report?.delivered === false) log.warn(fields, `${name} drained, and not everything was delivered`);
      else log.info(fields, `${name} drained`);
    } catch (error) {
      log.warn({ service: name, err: error }, `${name} could not be drained`);
    }
  }
}

/** Nothing is waited for any longer than that. A process that has nothing left to do ends before by itself. */
function endLate(signal: EndingSignal, afterMs: number, log: ServeOptions['log']): void {
  const timer = setTimeout(() => {
    log.warn(
      { signal },
      'something has not ended in time, most likely a disk or a network that hangs; ending',
    );
    endAtOnce(signal);
  }, afterMs);
  timer.unref();
}
