import { run } from '../../process/child.ts';
import { prometheusTools } from './debian-package.ts';

/**
 * Runs `promtool check metrics` over an exposition.
 *
 * @returns what it complains about, a line each; nothing when the text is clean.
 */
export async function promtoolComplaints(exposition: string): Promise<string[]> {
  const { promtool } = await prometheusTools();
  try {
    const output = await run(promtool, ['check', 'metrics'], { input: exposition, timeoutMs: 30_000 });
    return lines(output);
  } catch (error) {
    return lines((error as Error).message);
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
