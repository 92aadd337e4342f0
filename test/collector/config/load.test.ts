import test from 'ava';
import { collectorDefaults, directoryDefaults } from '../../../collector/config/collector-config.ts';
import { parseCollectorConfig } from '../../../collector/config/load.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';

const environment = { PORT: 'many', API_TOKEN: 'hunter2\n', BACKEND: 'http://backend:4317' };

const parse = (text: string) => parseCollectorConfig(text, 'c.yaml', environment);

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax of references. */

/** The configuration has exactly these problems, as lines. */
const isRefused = test.macro({
  exec(t, text: string, ...expected: string[]) {
    const error = t.throws(() => parse(text), { instanceOf: ConfigError });
    t.deepEqual(
      error.message.split('\n'),
      expected.map((line) => `c.yaml:${line}`),
    );
    t.is(error.kind, 'config');
    t.false(error.message.includes('hunter2'));
  },
  title: (name) => `refused: ${name}`,
});

test('an empty file is the defaults', (t) => {
  t.deepEqual(parse(''), { ...collectorDefaults, storage: directoryDefaults });
  t.deepEqual(parse('grpc:\nmeter_provider:\nstreamgauge: {}\n'), {
    ...collectorDefaults,
    storage: directoryDefaults,
  });
});

test(
  'a key that is not known, a value of another type, one that is impossible, all together',
  isRefused,
  `
grpc:
  prot: 4317
  port: \${PORT}
  reflection: 1
  limits: {max_message_bytes: 1GB, max_streams: 0}
streamgauge:
  staleness: 5 parsecs
  log: {level: verbose}
http: 4318
colour: red
`,
  '3:3: grpc.prot: unknown key, did you mean port? allowed: host, port, insecure, tls, reflection, limits, keepalive_time, keepalive_timeout, max_connection_age, max_connection_age_grace',
  '4:9: grpc.port: found "many" (from ${PORT}); allowed: a whole number from 0 to 65535',
  '5:15: grpc.reflection: found 1; allowed: true or false',
  '6:31: grpc.limits.max_message_bytes: found "1GB"; allowed: a size from 64KiB to 64MiB: bytes, or text like 512KiB, 4MiB',
  '6:49: grpc.limits.max_streams: found 0; allowed: a whole number from 1 to 1000000',
  '8:14: streamgauge.staleness: found "5 parsecs"; allowed: a duration from 1s to 24d: milliseconds, or text like 500ms, 10s, 5m, 1h',
  '9:16: streamgauge.log.level: found "verbose"; allowed: trace, debug, info, warn, error, fatal or silent',
  '10:7: http: found 4318; allowed: a mapping with the keys host, port, insecure, tls, allowed_hosts and limits',
  '11:1: colour: unknown key; allowed: file_format, grpc, http, admin, otlp, auth, meter_provider, resource, streamgauge',
);

test(
  'addresses that other machines reach without insecure, an address with a port',
  isRefused,
  `
grpc: {host: 0.0.0.0}
http: {host: 10.0.0.1:4318}
admin: {host: 0.0.0.0, insecure: true}
`,
  '2:14: grpc.host: found "0.0.0.0"; other machines reach this address, and there is no TLS; allowed: tls with cert_file and key_file beside it, a loopback address such as 127.0.0.1, or insecure: true',
  '3:14: http.host: found "10.0.0.1:4318"; allowed: an IP address or a host name, without a port',
);

test(
  'listeners that share a port',
  isRefused,
  'http: {port: 4317}\nadmin: {port: 4317}\n',
  '1:14: http.port: found 4317; allowed: another port than that of grpc, which listens on the same address',
  '2:15: admin.port: found 4317; allowed: another port than that of grpc, which listens on the same address',
);

test(
  'what OpenTelemetry has and this release has not',
  isRefused,
  `
file_format: "2.0"
tracer_provider: {}
log_level: info
meter_provider:
  exemplar_filter: always_on
  readers:
    - periodic:
        cardinality_limits: {default: 5}
        exporter:
          otlp_http: {endpoint: "http://b:1/v1/metrics", encoding: json, temporality_preference: low_memory}
`,
  '2:14: file_format: found "2.0"; allowed: "1.0" or "1.1", in quotes',
  '3:18: tracer_provider: found a mapping; not supported: only metrics are collected here',
  '4:12: log_level: found "info"; not supported: use streamgauge.log.level',
  '6:20: meter_provider.exemplar_filter: found "always_on"; not supported: exemplars come in a later release',
  '9:29: meter_provider.readers[0].periodic.cardinality_limits: found a mapping; not supported: readers share what views make; use aggregation_cardinality_limit of a view',
  '11:68: meter_provider.readers[0].periodic.exporter.otlp_http.encoding: found "json"; not supported in this release; allowed: protobuf',
  '11:98: meter_provider.readers[0].periodic.exporter.otlp_http.temporality_preference: found "low_memory"; not supported: low_memory asks for another temporality of asynchronous counters, and what arrives here no longer tells them from synchronous ones; allowed: cumulative or delta',
);

test(
  'readers',
  isRefused,
  `
meter_provider:
  readers:
    - periodic: {interval: 10s, exporter: {otlp_grpc: {endpoint: "http://b:1/path"}}}
    - periodic: {interval: 1000, timeout: 2000, exporter: {console: }}
    - periodic: {exporter: {console: , otlp_grpc: }}
    - periodic: {exporter: {zipkin: }}
    - periodic: {}
    - pull: {exporter: {prometheus: {host: 0.0.0.0}}}
    - {}
`,
  '4:28: meter_provider.readers[0].periodic.interval: found "10s"; allowed: a whole number of milliseconds, at least 10',
  '4:66: meter_provider.readers[0].periodic.exporter.otlp_grpc.endpoint: found "http://b:1/path"; allowed: http://HOST:PORT (no TLS) or https://HOST:PORT, without path, user or query, like http://localhost:4317',
  '5:43: meter_provider.readers[1].periodic.timeout: found 2000; allowed: not more than interval, because an export must end before the next begins',
  '6:28: meter_provider.readers[2].periodic.exporter: found a mapping; allowed: exactly one of otlp_grpc, otlp_http and console',
  '7:29: meter_provider.readers[3].periodic.exporter.zipkin: unknown key; allowed: otlp_grpc, otlp_http, console',
  '8:17: meter_provider.readers[4].periodic.exporter: missing; allowed: a mapping with the keys otlp_grpc, otlp_http and console',
  '9:44: meter_provider.readers[5].pull.exporter.prometheus.host: found "0.0.0.0"; other machines reach this address, and there is no TLS; allowed: localhost, streamgauge: {tls: …} beside exporter, or streamgauge: {insecure: true}',
  '10:7: meter_provider.readers[6]: found a mapping; allowed: exactly one of periodic and pull',
);

test(
  'secrets are not shown',
  isRefused,
  `
meter_provider:
  readers:
    - periodic:
        timeout: \${API_TOKEN}
        exporter:
          otlp_http:
            endpoint: "http://user:hunter2@b:1/?key=hunter2"
            headers: [{name: a b, value: "\${API_TOKEN}"}, {name: c, value: [hunter2]}, {nam: hunter2}]
            headers_list: hunter2
`,
  '5:18: meter_provider.readers[0].periodic.timeout: found a value that is not shown (from ${API_TOKEN}); allowed: a whole number of milliseconds, at least 1',
  '9:30: meter_provider.readers[0].periodic.exporter.otlp_http.headers[0].name: found "a b"; allowed: the name of an HTTP header',
  '9:42: meter_provider.readers[0].periodic.exporter.otlp_http.headers[0].value: found a value that is not shown (from ${API_TOKEN}); allowed: printable ASCII',
  '9:76: meter_provider.readers[0].periodic.exporter.otlp_http.headers[1].value: found a list of 1; allowed: printable ASCII',
  '9:88: meter_provider.readers[0].periodic.exporter.otlp_http.headers[2].name: missing; allowed: the name of an HTTP header',
  '9:88: meter_provider.readers[0].periodic.exporter.otlp_http.headers[2].value: missing; allowed: printable ASCII',
  '9:89: meter_provider.readers[0].periodic.exporter.otlp_http.headers[2].nam: unknown key, did you mean name? allowed: name, value',
  '10:27: meter_provider.readers[0].periodic.exporter.otlp_http.headers_list: found a value that is not shown; item 1 is not of the form key=value with percent-encoding for , = and %',
);

test(
  'readers that send to the collector itself',
  isRefused,
  `
grpc: {port: 14317, host: 0.0.0.0, insecure: true}
meter_provider:
  readers:
    - periodic: {exporter: {otlp_grpc: {endpoint: "http://127.0.0.1:14317"}}}
    - periodic: {exporter: {otlp_http: }}
    - periodic: {exporter: {otlp_grpc: }}
    - pull: {exporter: {prometheus: {port: 4319}}}
`,
  '5:51: meter_provider.readers[0].periodic.exporter.otlp_grpc.endpoint: found "http://127.0.0.1:14317"; this is the grpc port of the collector itself (0.0.0.0:14317), a loop; allowed: the endpoint of another backend',
  '6:40: meter_provider.readers[1].periodic.exporter.otlp_http.endpoint: found nothing; this is the http port of the collector itself (127.0.0.1:4318), a loop; allowed: the endpoint of another backend',
  '8:24: meter_provider.readers[3].pull.exporter: found a mapping; allowed: another port than that of admin, which listens on the same address',
);

test('what cannot be read is reported once, with the rest', (t) => {
  const error = t.throws(() => parse('grpc: {port: "${1}"}\nhttp: {port: x}\nadmin: {port: 1, port: 2}\n'));
  t.deepEqual(error.message.split('\n'), [
    'c.yaml:1:14: grpc.port: found "${1}", no valid reference; allowed: ${NAME}, ${env:NAME}, ${NAME:-default}, and $$ for a dollar sign',
    'c.yaml:2:14: http.port: found "x"; allowed: a whole number from 0 to 65535',
    'c.yaml:3:18: admin.port: given twice, first at line 3; allowed: each key once',
  ]);
});

test('a whole file', (t) => {
  const config = parse(`
file_format: "1.0"
grpc: {host: "[::1]", port: 0, keepalive_time: 1m, limits: {max_message_bytes: 8MiB}}
http: {host: 0.0.0.0, insecure: true}
meter_provider:
  readers:
    - periodic:
        interval: 10000
        exporter:
          otlp_grpc:
            endpoint: \${BACKEND}
            compression: gzip
            temporality_preference: delta
            headers_list: "A=1,b=x%20y"
            headers:
              - {name: Authorization, value: "Bearer 1"}
              - name: a
                value: \${UNSET}
        streamgauge: {max_request_bytes: 1MiB}
    - periodic: {exporter: {otlp_http: {endpoint: "https://b/v1/metrics", tls: {ca_file: /ca.pem}}}}
    - periodic: {exporter: {otlp_grpc: {endpoint: "b:1", tls: {insecure: true}}}}
    - periodic: {exporter: {console: }}
    - pull: {exporter: {prometheus/development: {host: '[::1]', port: 0}}}
  views:
    - selector: {instrument_name: system.cpu.time, instrument_type: observable_counter}
      stream:
        name: fleet.cpu.time
        attribute_keys: {excluded: [cpu]}
        aggregation: {sum: }
        streamgauge: {resource_keys: [cloud.region]}
    - selector: {instrument_name: "system.disk.*"}
      stream: {aggregation: {drop: {}}}
resource:
  attributes_list: "service.name=x,region=eu"
  attributes:
    - {name: service.name, value: fleet}
    - {name: n, value: 5, type: int}
    - {name: d, value: 5, type: double}
    - {name: l, value: [a, b], type: string_array}
streamgauge: {staleness: 90s, log: {level: debug}}
`);
  t.like(config.grpc, {
    host: '::1',
    port: 0,
    keepaliveTimeMs: 60_000,
    limits: { maxMessageBytes: 2 ** 23, maxSeries: 100_000 },
  });
  t.like(config.http, { host: '0.0.0.0', port: 4318, insecure: true });
  const otlp = { compression: 'none', timeoutMs: 10_000, temporality: 'cumulative', headers: {} } as const;
  const noTls = { caFile: undefined, keyFile: undefined, certFile: undefined };
  const periodic = {
    kind: 'periodic',
    intervalMs: 60_000,
    timeoutMs: 30_000,
    maxRequestBytes: 3_670_016,
  } as const;
  t.deepEqual(config.readers, [
    {
      ...periodic,
      name: 'otlp_grpc',
      intervalMs: 10_000,
      timeoutMs: 10_000,
      maxRequestBytes: 2 ** 20,
      exporter: {
        ...otlp,
        kind: 'otlp_grpc',
        endpoint: 'http://backend:4317',
        compression: 'gzip',
        temporality: 'delta',
        headers: { a: '1', b: 'x y', authorization: 'Bearer 1' },
        tls: noTls,
      },
    },
    {
      ...periodic,
      name: 'otlp_http',
      exporter: {
        ...otlp,
        kind: 'otlp_http',
        endpoint: 'https://b/v1/metrics',
        tls: { ...noTls, caFile: '/ca.pem' },
      },
    },
    {
      ...periodic,
      name: 'otlp_grpc/2',
      exporter: { ...otlp, kind: 'otlp_grpc', endpoint: 'http://b:1', tls: noTls },
    },
    { ...periodic, name: 'console', exporter: { kind: 'console', temporality: 'cumulative' } },
    { kind: 'prometheus', name: 'prometheus', host: '::1', port: 0 },
  ]);
  t.like(config.views[0], {
    selector: { instrumentName: 'system.cpu.time', instrumentType: 'observable_counter' },
    stream: {
      name: 'fleet.cpu.time',
      attributeKeys: { excluded: ['cpu'] },
      aggregation: 'sum',
      resourceKeys: ['cloud.region'],
    },
  });
  t.like(config.views[1], { stream: { aggregation: 'drop', resourceKeys: undefined } });
  t.deepEqual(config.resource.attributes, [
    ['d', 5],
    ['l', ['a', 'b']],
    ['n', 5n],
    ['region', 'eu'],
    ['service.name', 'fleet'],
  ]);
  t.is(config.stalenessMs, 90_000);
  t.is(config.log.level, 'debug');
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax of references. */
