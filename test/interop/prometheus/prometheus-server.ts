import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { Child } from '../../process/child.ts';
import { fixedPort } from '../../process/fixed-port.ts';
import { until } from '../until.ts';
import { prometheusTools } from './debian-package.ts';

/** One series of an instant query's answer: all labels, `__name__` included, and the value as Prometheus writes it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

/** A real Prometheus server that scrapes one target each second. */
export interface PrometheusServer {
  /** An instant query. @throws Error when Prometheus refuses it. */
  query(expression: string): Promise<Sample[]>;
  /** Health of the target as Prometheus sees it: `up`, `down` or `unknown`, with the last error; `undefined`: not looked for yet. */
  target(): Promise<{ readonly health: string; readonly lastError: string } | undefined>;
  stop(): Promise<void>;
}

/** @param target `host:port` whose /metrics is scraped; labels of the target win over Prometheus's own (`honor_labels`). @param more of the scrape's configuration */
export async function startPrometheus(target: string, more: object = {}): Promise<PrometheusServer> {
  const { prometheus } = await prometheusTools();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'prometheus-'));
  const file = path.join(folder, 'prometheus.yml');
  const scrape = {
    job_name: 'streamgauge',
    scrape_interval: '1s',
    scrape_timeout: '1s',
    honor_labels: true,
    static_configs: [{ targets: [target] }],
    ...more,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ scrape_configs: [scrape] }));
  const port = await fixedPort();
  const child = new Child(prometheus, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const stop = async (): Promise<void> => {
    await child.kill();
    await rm(folder, { recursive: true, force: true });
  };
  const ask = async <Data>(pathAndQuery: string): Promise<Data> => {
    const response = await fetch(`http://127.0.0.1:${port}${pathAndQuery}`, {
      signal: AbortSignal.timeout(5000),
    });
    const answer = (await response.json()) as { status: string; error?: string; data: Data };
    if (answer.status !== 'success') throw new Error(`Prometheus: ${answer.error}`);
    return answer.data;
  };
  try {
    await child.waitForOutput(/Server is ready to receive web requests/, 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    query: async (expression) => {
      const data = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(expression)}`,
      );
      return data.result.map(({ metric, value }) => ({ labels: metric, value: value[1] }));
    },
    target: async () => {
      type Target = { health: string; lastError: string };
      return (await ask<{ activeTargets: Target[] }>('/api/v1/targets')).activeTargets[0];
    },
    stop,
  };
}

/** A Prometheus that has scraped this target, `host:port`, at least once; it ends with the test. */
export async function scraping(t: ExecutionContext, target: string): Promise<PrometheusServer> {
  t.timeout(5 * 60_000);
  const prometheus = await startPrometheus(target);
  t.teardown(() => prometheus.stop());
  // It looks for its targets five seconds after its start.
  await until(async () => (await prometheus.target())?.health === 'up', `Prometheus has scraped ${target}`);
  return prometheus;
}
