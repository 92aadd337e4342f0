import '../external-memory.ts';
import { Agent } from '../../agent/agent.ts';
import { environmentConfig } from '../../agent/config/environment.ts';
import { hostDefaults } from '../../agent/sources/host/host-options.ts';
import { isLoopback } from '../../otel/config/addresses.ts';
import { type CollectorFlags, collectorSettings } from '../collector-settings.ts';
import { pinoLog } from '../pino-log.ts';
import { reloadedCollector } from '../reloaded-collector.ts';
import { type Service, serve } from '../serve.ts';
import { LiveView } from '../up/live-view.ts';
import { summaryLog } from '../up/summary-log.ts';
import { upSource } from '../up/up-source.ts';
import { version } from '../version.ts';

export interface UpFlags extends CollectorFlags {
  /** How often the host's metrics are read, milliseconds. */
  readonly interval?: number;
}

/** `streamgauge up`: a collector and an agent in one process, which speak over the real stream on loopback. */
export async function runUp(flags: UpFlags): Promise<void> {
  const config = await collectorSettings(flags, process.env);
  const live = process.stdout.isTTY && process.env.TERM !== 'dumb' ? new LiveView(process.stdout) : undefined;
  const log = pinoLog(config.log.level, live?.log);
  const reloaded = reloadedCollector(config, flags, log);
  const { collector } = reloaded;
  const agent = upAgent(() => collector.addresses.grpc, flags, log);
  let stopSummary = (): void => live?.stop();
  try {
    await serve(
      [
        { name: 'collector', service: collector },
        { name: 'agent', service: agent },
      ],
      {
        shutdownTimeoutMs: () => reloaded.config.shutdownTimeoutMs,
        log,
        reload: () => reloaded.reload(),
        onStarted: () => {
          const source = upSource(collector);
          const { grpc, http, admin } = collector.addresses;
          log.info(
            { grpc, http, admin },
            `up: agents stream to grpc://${grpc}, metrics are at http://${http}/metrics, status at http://${admin}/status`,
          );
          if (live === undefined) stopSummary = summaryLog(source, log);
          else live.start(source);
        },
        onStopping: () => stopSummary(),
      },
    );
  } finally {
    stopSummary();
  }
}

/** The agent, made when the collector listens and its port is known. */
function upAgent(
  endpoint: () => string,
  { interval: intervalMs, memory }: UpFlags,
  log: ReturnType<typeof pinoLog>,
): Service {
  let agent: Agent | undefined;
  return {
    async start() {
      const base = environmentConfig(process.env);
      const host = intervalMs === undefined ? base.host : { ...base.host, ...atInterval(intervalMs) };
      const collector = { ...base.collector, endpoint: reachable(endpoint()), insecure: true };
      // Who keeps nothing on the disk keeps nothing of the agent either.
      const stateDir = memory === true ? undefined : base.stateDir;
      agent = new Agent({ ...base, stateDir, collector, host }, { log, version: version() });
      await agent.start();
    },
    drain: async (deadlineMs) => await agent?.drain(deadlineMs),
    stop: async () => await agent?.stop(),
  };
}

/** The host's groups at another interval; the slow ones stay as slow as they are. */
function atInterval(intervalMs: number): typeof hostDefaults {
  const usual = hostDefaults.cpu.intervalMs;
  const entries = Object.entries(hostDefaults).map(([name, group]) => {
    const isSlow = group.intervalMs !== usual;
    return [name, { ...group, intervalMs: isSlow ? Math.max(group.intervalMs, intervalMs) : intervalMs }];
  });
  return Object.fromEntries(entries) as typeof hostDefaults;
}

/** An address to connect to for one that is listened on: an unspecified one is reached by loopback. */
function reachable(address: string): string {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at);
  return isLoopback(host) ? address : `127.0.0.1${address.slice(at)}`;
}
