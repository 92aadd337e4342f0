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
  readonly shutdownTimeoutMs: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** Called when all services have started. */
  readonly onStarted?: () => void;
  /** Called when the first signal has come, before anything is drained. */
  readonly onStopping?: () => void;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof exitCodes;

/**
 * Starts services in their order, waits for SIGINT or SIGTERM, drains and stops them in the opposite order. A second signal ends
 * the process at once, with 130 or 143. When one cannot start, those before it are stopped and its error is thrown.
 */
export async function serve(services: readonly NamedService[], options: ServeOptions): Promise<void> {
  const { log, shutdownTimeoutMs } = options;
  const first = Promise.withResolvers<Signal>();
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(exitCodes[signal as Signal]);
    isStopping = true;
    first.resolve(signal as Signal);
  };
  for (const signal of Object.keys(exitCodes)) process.on(signal, onSignal);
  const started: NamedService[] = [];
  try {
    for (const named of services) {
      // A service that fails half way has something to stop, too.
      started.unshift(named);
      await named.service.start();
      if (isStopping) break;
    }
    if (!isStopping) options.onStarted?.();
    const signal = await first.promise;
    options.onStopping?.();
    log.info(
      { signal, deadlineMs: shutdownTimeoutMs },
      `stopping within ${Math.ceil(shutdownTimeoutMs / 1000)} s; a second signal ends at once`,
    );
    const endsAt = performance.now() + shutdownTimeoutMs;
    for (const { name, service } of started) {
      try {
        const report = await service.drain(Math.max(0, endsAt - performance.now()));
        const fields = { service: name, drained: report };
        if (report?.delivered === false)
          log.warn(fields, `${name} drained, and not everything was delivered`);
        else log.info(fields, `${name} drained`);
      } catch (error) {
        log.warn({ service: name, err: error }, `${name} could not be drained`);
      }
    }
  } finally {
    for (const { service } of started) await service.stop();
    for (const signal of Object.keys(exitCodes)) process.off(signal, onSignal);
  }
}
