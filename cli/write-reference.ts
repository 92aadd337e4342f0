import { readFile, writeFile } from 'node:fs/promises';
import { agentSchema } from '../agent/config/schema.ts';
import { collectorSchema } from '../collector/config/schema.ts';
import { referenceTable } from './reference.ts';

/** Where the reference is kept. */
export const referenceFile = new URL('../docs/configuration.md', import.meta.url);

/** docs/configuration.md: the words below, and tables made from the schemas. */
export function reference(): string {
  return `<!-- Made by \`npm run docs\` from the schemas in agent/config and collector/config. Change those, not this file. -->

# Configuration

Both programs run without a configuration. \`streamgauge check FILE\` reads a file as they would and prints every mistake in it, each with
its line, column and key, what was found and what is allowed.

## How files are read

- YAML 1.2, core schema, one document, at most 1 MiB. A key that is not known, or given twice, is an error. A key whose value is null
  is as if it were not there.
- \`\${NAME}\`, \`\${env:NAME}\` and \`\${NAME:-default}\` in values are replaced by environment variables, and \`$$\` is a dollar
  sign, [as OpenTelemetry has it](https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution):
  the type of a value is found after that, so \`port: \${PORT}\` is a number and \`"\${PORT}"\` is text; a variable that is not set is
  nothing; what a variable holds is not looked at again. Within \`{}\` and \`[]\` write references in quotes.
- Times: keys that OpenTelemetry's schema has (\`interval\` and \`timeout\` of readers and exporters) are whole numbers of milliseconds. Keys
  that are ours take text with a unit as well: \`500ms\`, \`1.5s\`, \`10s\`, \`5m\`, \`1h\`, \`7d\`.
- Sizes are whole numbers of bytes, or text: \`512KiB\`, \`3.5MiB\`.
- In patterns \`*\` stands for any characters and none, \`?\` for one.
- Values of headers, and of variables whose names speak of tokens, passwords or keys, are never printed.

## Agent: \`streamgauge agent --config FILE\`

Without a file the defaults hold, with the resource attributes of \`OTEL_RESOURCE_ATTRIBUTES\`. With or without a file,
the agent keeps its identity and [its state](agent-state.md) in the first of \`--state-dir\`, \`state_dir\`, \`$STATE_DIRECTORY\` (which systemd
sets), \`$XDG_STATE_HOME/streamgauge-agent\` and \`~/.local/state/streamgauge-agent\`.

\`\`\`yaml
collector:
  endpoint: https://collector.example.com:4317
  token_file: /etc/streamgauge/agent.token
resource:
  attributes:
    deployment.environment.name: \${ENVIRONMENT:-production}
host:
  interval: 5s
  disk:
    devices:
      include: [nvme*]
\`\`\`

${referenceTable(agentSchema)}

## Collector: \`streamgauge collector --config FILE\`

\`meter_provider\` and \`resource\` follow [OpenTelemetry's declarative configuration](https://opentelemetry.io/docs/specs/otel-config/),
schema version 1.1. What it defines and this release does not do is refused with a sentence. What a fleet needs beyond that stands under
\`streamgauge\` keys.

\`\`\`yaml
file_format: "1.1"
grpc:
  host: 0.0.0.0
  tls:
    cert_file: /etc/streamgauge/tls.crt
    key_file: /etc/streamgauge/tls.key
meter_provider:
  readers:
    - periodic:
        interval: 10000
        exporter:
          otlp_http:
            endpoint: https://otlp.example.com/v1/metrics
            compression: gzip
            headers:
              - name: authorization
                value: Bearer \${OTLP_TOKEN}
  views:
    # One series for each region, state and core instead of one for each host as well.
    - selector:
        instrument_name: system.cpu.time
      stream:
        name: fleet.cpu.time
        attribute_keys:
          excluded: [cpu.logical_number]
        streamgauge:
          resource_keys: [cloud.region]
\`\`\`

${referenceTable(collectorSchema)}

### Without a file

OpenTelemetry's environment variables act as usual, but there is a push reader only when an endpoint or an exporter is named, since the
usual default is a collector on this machine: this one. With a file none of them acts unless the file refers to it.

| variable | what it does |
| --- | --- |
| \`OTEL_EXPORTER_OTLP_METRICS_ENDPOINT\`, \`OTEL_EXPORTER_OTLP_ENDPOINT\` | adds an OTLP reader |
| \`OTEL_EXPORTER_OTLP_PROTOCOL\` | \`http/protobuf\` (default) or \`grpc\` |
| \`OTEL_EXPORTER_OTLP_HEADERS\` | \`key1=value1,key2=value2\` |
| \`OTEL_EXPORTER_OTLP_COMPRESSION\` | \`gzip\` or \`none\` |
| \`OTEL_EXPORTER_OTLP_TIMEOUT\` | longest time of one attempt, milliseconds |
| \`OTEL_EXPORTER_OTLP_INSECURE\` | \`true\`: no TLS for a gRPC endpoint without a scheme |
| \`OTEL_EXPORTER_OTLP_CERTIFICATE\`, \`_CLIENT_KEY\`, \`_CLIENT_CERTIFICATE\` | files in PEM format |
| \`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE\` | \`cumulative\` or \`delta\` |
| \`OTEL_METRIC_EXPORT_INTERVAL\`, \`OTEL_METRIC_EXPORT_TIMEOUT\` | milliseconds |
| \`OTEL_METRICS_EXPORTER\` | a list of \`otlp\`, \`console\`, \`prometheus\`, \`none\` |
| \`OTEL_EXPORTER_PROMETHEUS_HOST\`, \`OTEL_EXPORTER_PROMETHEUS_PORT\` | where the prometheus reader listens |
| \`OTEL_RESOURCE_ATTRIBUTES\`, \`OTEL_SERVICE_NAME\` | the collector's own resource |

All of \`OTEL_EXPORTER_OTLP_…\` exist as \`OTEL_EXPORTER_OTLP_METRICS_…\` too, which then hold.
`;
}

if (import.meta.main) {
  const text = reference();
  const old = await readFile(referenceFile, 'utf8').catch(() => '');
  if (old !== text) await writeFile(referenceFile, text);
  process.stdout.write(`docs/configuration.md is ${old === text ? 'up to date' : 'written'}\n`);
}
