/**
 * When a commit counts as done:
 * - `always`: when it is on the disk. Nothing acknowledged is lost, by a killed process or by a power cut.
 * - `interval`: when the operating system has it; the disk gets it every so many milliseconds. A killed process loses nothing, a power cut or
 *   a crash of the system up to that long.
 * - `never`: when the operating system has it, and the disk gets it when the system sees fit, on Linux after about half a minute.
 *
 * Segments and checkpoints are synced when they are made, and all of it at an orderly end, whatever the policy.
 */
export type SyncPolicy =
  | { readonly mode: 'always' }
  | { readonly mode: 'interval'; readonly intervalMs: number }
  | { readonly mode: 'never' };
