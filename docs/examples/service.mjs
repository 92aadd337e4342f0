// A small web service that measures itself by OpenTelemetry's API, and knows nothing of where that goes:
//
//   STREAMGAUGE_ENDPOINT=http://localhost:4317 OTEL_SERVICE_NAME=greeter \
//     node --import streamgauge/otel/register docs/examples/service.mjs
import { createServer } from 'node:http';
import { metrics } from '@opentelemetry/api';

const meter = metrics.getMeter('greeter', '1.0.0');
const greetings = meter.createCounter('greetings', { unit: '{greeting}', description: 'Greetings given.' });
const visitors = meter.createUpDownCounter('visitors', { unit: '{visitor}', description: 'Being served.' });
const duration = meter.createHistogram('http.server.request.duration', {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1] },
});

const words = { en: 'Hello', fr: 'Bonjour', it: 'Ciao' };

const server = createServer((request, response) => {
  const start = performance.now();
  visitors.add(1);
  const language = new URL(request.url, 'http://localhost').searchParams.get('lang');
  const known = Object.hasOwn(words, language) ? language : 'en';
  response.on('close', () => {
    visitors.add(-1);
    duration.record((performance.now() - start) / 1000, {
      'http.request.method': request.method,
      'http.response.status_code': response.statusCode,
    });
  });
  greetings.add(1, { language: known });
  response.end(`${words[known]}!\n`);
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${server.address().port}/?lang=fr\n`);
});
