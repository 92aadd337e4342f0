import type { ExecutionContext } from 'ava';
import { collectorDefaults, type GrpcConfig } from '../../../collector/config/collector-config.ts';
import { GrpcReceiver, type ReceiverOptions } from '../../../collector/receivers/grpc-receiver.ts';
import { Exceeded, type LimitCounters, limitCounters } from '../../../collector/security/exceeded.ts';
import { Core } from '../core.ts';

export interface Receiver {
  readonly core: Core;
  readonly receiver: GrpcReceiver;
  readonly target: string;
  readonly bugs: unknown[];
  /** What went over a limit of the port. */
  readonly exceeded: LimitCounters;
}

/** A receiver on a free port, over the collector's core, stopped when the test ends. */
export async function startReceiver(
  t: ExecutionContext,
  options: {
    grpc?: Partial<GrpcConfig>;
    limits?: Partial<GrpcConfig['limits']>;
    portLimits?: Partial<GrpcConfig['portLimits']>;
    helloDeadlineMs?: number | undefined;
    lingerMs?: number;
    /** Whether calls are grpc-js', as they are where its HTTP/2 servers cannot be had. */
    isGrpcJs?: boolean;
    security?: Pick<ReceiverOptions, 'tls' | 'guard' | 'backlog'>;
  } = {},
): Promise<Receiver> {
  const { lingerMs = 5000, isGrpcJs = false } = options;
  const helloDeadlineMs = 'helloDeadlineMs' in options ? options.helloDeadlineMs : 5000;
  const limits = { ...collectorDefaults.grpc.limits, ...options.limits };
  const core = new Core({ limits });
  const bugs: unknown[] = [];
  const portLimits = { ...collectorDefaults.grpc.portLimits, ...options.portLimits };
  const config = { ...collectorDefaults.grpc, port: 0, limits, portLimits, ...options.grpc };
  const exceeded = limitCounters();
  const receiver = new GrpcReceiver(config, core.sessions, (error) => void bugs.push(error), {
    helloDeadlineMs,
    lingerMs,
    exceeded: new Exceeded(exceeded, () => {}).of('grpc'),
    ...(isGrpcJs && { http2ServersOf: () => [] }),
    ...options.security,
  });
  const port = await receiver.start();
  t.teardown(async () => {
    core.sessions.stop();
    await receiver.stop();
  });
  return { core, receiver, bugs, exceeded, target: `127.0.0.1:${port}` };
}
