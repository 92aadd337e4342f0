import type { CollectorDrainReport } from './collector-contract.ts';
import type { CollectorCore } from './collector-core.ts';
import type { OpenPorts } from './open-ports.ts';
import type { PushReaders } from './push-readers.ts';

export interface DrainedParts {
  readonly core: CollectorCore;
  readonly readers: PushReaders;
  readonly ports: OpenPorts;
  /** Resolves when no reload is under way, nor what it lets go of. */
  readonly reloading: Promise<void>;
}

/** Ends a collector from its sources to its sinks within a deadline, as far as that goes. */
export async function drain(
  { core: { sessions, storage }, readers, ports, reloading }: DrainedParts,
  deadlineMs: number,
): Promise<CollectorDrainReport> {
  const deadline = performance.now() + deadlineMs;
  const left = (): number => Math.max(0, deadline - performance.now());
  for (const { server } of ports.all) server.notServing?.();
  // Agents get half of the time, so that the last export has the rest.
  const agents = await sessions.drain(deadlineMs / 2);
  const drained = await Promise.all(
    readers.all.map(async ({ reader }) => ({ name: reader.name, ...(await reader.drain(left())) })),
  );
  await Promise.race([reloading, timeUp(left())]);
  const listeners = ports.all.filter(({ name }) => name !== 'grpc');
  await Promise.all(listeners.map(({ server }) => server.release(left())));
  const isWritten = await storage.checkpoint(AbortSignal.timeout(Math.ceil(left())));
  const storageError = await storage.close(left());
  const delivered = storageError === undefined && drained.every((reader) => reader.delivered);
  const checkpoint = storage.kind === 'memory' ? undefined : isWritten;
  return { delivered, agents, readers: drained, checkpoint, storageError: storageError?.message };
}

function timeUp(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
