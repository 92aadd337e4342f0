/** Environment that has a Node process load modules of test/faults/preload before its program. */
export function preloaded(...names: readonly string[]): Readonly<Record<string, string>> {
  const imports = names.map((name) => `--import=${new URL(`../preload/${name}.ts`, import.meta.url).href}`);
  return { NODE_OPTIONS: imports.join(' ') };
}
