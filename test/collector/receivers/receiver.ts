import type { ExecutionContext } from 'ava';
import { collectorDefaults, type GrpcConfig } from '../../../collector/config/collector-config.ts';
import { GrpcReceiver, type ReceiverOptions } from '../../../collector/receivers/grpc-receiver.ts';
import { Core } from '../core.ts';

export interface Receiver {
  readonly core: Core;
  readonly receiver: GrpcReceiver;
  readonly target: string;
  readonly bugs: unknown[];
}

/** A receiver on a free port, over the collector's core, stopped when the test ends. */
export async function startReceiver(
  t: ExecutionContext,
  options: {
    grpc?: Partial<GrpcConfig>;
    limits?: Partial<GrpcConfig['limits']>;
    helloDeadlineMs?: number;
    lingerMs?: number;
    /** Whether calls are grpc-js', as they are where its HTTP/2 servers cannot be had. */
    isGrpcJs?: boolean;
    security?: Pick<ReceiverOptions, 'tls' | 'guard'>;
  } = {},
): Promise<Receiver> {
  const { helloDeadlineMs = 5000, lingerMs = 5000, isGrpcJs = false } = options;
  const limits = { ...collectorDefaults.grpc.limits, ...options.limits };
  const core = new Core({ limits });
  const bugs: unknown[] = [];
  const config = { ...collectorDefaults.grpc, port: 0, limits, ...options.grpc };
  const receiver = new GrpcReceiver(config, core.sessions, (error) => void bugs.push(error), {
    helloDeadlineMs,
    lingerMs,
    ...(isGrpcJs && { http2ServersOf: () => [] }),
    ...options.security,
  });
  const port = await receiver.start();
  t.teardown(async () => {
    core.sessions.stop();
    await receiver.stop();
  });
  return { core, receiver, bugs, target: `127.0.0.1:${port}` };
}
