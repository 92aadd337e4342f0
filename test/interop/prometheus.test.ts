import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { ExpositionReport } from '../../otel/prometheus/exposition-report.ts';
import type { ExpositionFormat } from '../../otel/prometheus/negotiate.ts';
import { PrometheusWriter } from '../../otel/prometheus/writer.ts';
import { type ParsedSample, parseExposition } from '../otel/prometheus/exposition-parser.ts';
import { type Sample, scraping } from './prometheus/prometheus-server.ts';
import { promtoolComplaints } from './prometheus/promtool.ts';
import { collectionOf, everyKind } from './synthetic-collection.ts';

function exposition(format: ExpositionFormat): string {
  const collection = collectionOf(everyKind, 0);
  return [...new PrometheusWriter().write(collection, format, new ExpositionReport())].join('');
}

test('promtool complains about a metric without help, so that its silence means something', async (t) => {
  const complaints = await promtoolComplaints('# TYPE requests counter\nrequests 1\n');
  t.true(complaints.some((line) => line.includes('no help text')));
  t.true(complaints.some((line) => line.includes('_total')));
});

test('promtool finds nothing wrong with every kind of metric', async (t) => {
  t.deepEqual(await promtoolComplaints(exposition('text')), []);
});

for (const format of ['text', 'openmetrics'] as const) {
  test(`a real Prometheus scrapes what we write and answers with the same values: ${format}`, async (t) => {
    const body = exposition(format);
    const type =
      format === 'text'
        ? 'text/plain; version=0.0.4; charset=utf-8'
        : 'application/openmetrics-text; version=1.0.0; charset=utf-8';
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const prometheus = await scraping(t, `127.0.0.1:${port}`);
    const written = [...parseExposition(body, format === 'openmetrics').values()].flatMap(
      (family) => family.samples,
    );
    t.true(written.length > 20);
    const answered = await prometheus.query('{__name__=~".+", __name__!~"up|scrape_.*"}');
    t.deepEqual(fromPrometheus(answered), fromExposition(written, port));
  });
}

type Values = Record<string, number>;

function fromPrometheus(samples: readonly Sample[]): Values {
  const values: Values = {};
  for (const { labels, value } of samples) values[keyOf(Object.entries(labels))] = number(value);
  return sorted(values);
}

/** What a Prometheus that scrapes this port makes of samples: a target that does not say its job and instance gets the scraper's. */
function fromExposition(samples: readonly ParsedSample[], port: number): Values {
  const values: Values = {};
  for (const { name, labels, value } of samples) {
    const scraped = new Map([
      ['__name__', name],
      ['job', 'streamgauge'],
      ['instance', `127.0.0.1:${port}`],
      ...labels,
    ]);
    values[keyOf(scraped)] = value;
  }
  return sorted(values);
}

function number(text: string): number {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

/** A label without a value is the same as no label. */
function keyOf(labels: Iterable<readonly [string, string]>): string {
  return JSON.stringify([...labels].filter(([, value]) => value !== '').sort());
}

function sorted(values: Values): Values {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
