import { fail } from './failure.ts';
import { isUsage, program } from './program.ts';

/** Runs the command line. Ends the process with 1 when it cannot do what it is asked to. */
export async function main(argv: readonly string[]): Promise<void> {
  // The gRPC library prints failures of its own wording beside ours. It looks at this when it is loaded, which is when a command runs.
  process.env.GRPC_VERBOSITY ??= 'NONE';
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // Who reads the output may leave first, as in `streamgauge agent --once | head`; so may a terminal.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') fail(error);
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    if (!isUsage(error)) fail(error);
    process.exitCode = error.exitCode;
  }
}
