import { z } from 'zod';
import { isHost } from '../../otel/config/addresses.ts';
import {
  duration,
  durationText,
  filePath,
  optional,
  section,
  text,
  withDefault,
} from '../../otel/config/fields.ts';
import { logLevels } from '../../otel/config/log-level.ts';
import { attributeMapping } from '../../otel/config/resource-schema.ts';
import { noAttributes } from '../../otel/model/attributes.ts';
import { type AgentConfig, agentDefaults as defaults } from './agent-config.ts';
import { collectorEndpoint, usesTls } from './collector-endpoint.ts';
import { hostConfig, hostSchema } from './host-schema.ts';

const time = (min: number, value: number, description: string) =>
  withDefault(duration(min), value)
    .describe(description)
    .meta({ defaultText: durationText(value) });

const { backOff } = defaults.collector;

const endpoint = z
  .string()
  .transform((value, context) => {
    const parsed = collectorEndpoint(value);
    if (!('problem' in parsed)) return parsed;
    context.addIssue({ code: 'custom', message: parsed.problem });
    return z.NEVER;
  })
  .meta({ allowed: 'HOST:PORT, https://HOST:PORT or http://HOST:PORT' });

const tls = z
  .strictObject({
    ca_file: filePath()
      .optional()
      .describe(
        "Certificates of the authorities that sign the collector's, PEM; without it the system's hold.",
      ),
    cert_file: filePath()
      .optional()
      .describe("The agent's own certificate, PEM, with intermediate ones behind it."),
    key_file: filePath().optional().describe('The private key of that certificate, PEM, not encrypted.'),
    server_name: z
      .string()
      .refine(isHost)
      .meta({ allowed: 'a host name' })
      .optional()
      .describe("The name that the collector's certificate is for, where it is not the host of `endpoint`.")
      .meta({ defaultText: 'the host of `endpoint`' }),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
    error: 'allowed: cert_file and key_file both, or neither',
  })
  .optional()
  .describe('TLS of the connection. Files are read for each connection.');

const collector = section({
  endpoint: withDefault(endpoint, {
    endpoint: defaults.collector.endpoint,
    host: '127.0.0.1',
    isTls: undefined,
  })
    .describe(
      "The collector's gRPC address. Another machine is sent to with TLS unless `insecure` is true, this one with TLS for `https://` or when there is `tls`.",
    )
    .meta({ defaultText: defaults.collector.endpoint }),
  insecure: withDefault(z.boolean(), defaults.collector.insecure).describe(
    'Must be true to send, without TLS, to another machine.',
  ),
  tls,
  token_file: filePath()
    .optional()
    .describe(
      'A file with a bearer token that streams present; of several lines the first. It is read for each connection.',
    ),
  connect_timeout: time(
    100,
    defaults.collector.connectTimeoutMs,
    "How long a connection and the collector's welcome may take.",
  ),
  keepalive_time: time(
    1000,
    defaults.collector.keepaliveTimeMs,
    'A ping is sent so often. While there is something to report, a missing acknowledgement tells sooner that the collector is gone: after 20s and keepalive_timeout.',
  ),
  keepalive_timeout: time(
    100,
    defaults.collector.keepaliveTimeoutMs,
    'A connection is ended when a ping is not answered for so long, or an acknowledgement is so late.',
  ),
  reconnect: section({
    initial_delay: time(
      10,
      backOff.initialMs,
      'The wait before the first new attempt; it doubles with each further one.',
    ),
    max_delay: time(10, backOff.maxMs, 'No wait is longer.'),
  })
    .refine((value) => value.initial_delay <= value.max_delay, {
      path: ['max_delay'],
      error: 'allowed: not less than initial_delay',
    })
    .describe('The waits between attempts to connect.'),
})
  .superRefine((value, context) => {
    const isTls = usesTls(value.endpoint, { insecure: value.insecure, hasTls: value.tls !== undefined });
    if (typeof isTls === 'object')
      context.addIssue({ code: 'custom', path: ['endpoint'], message: isTls.problem });
  })
  .describe('Where to send.');

/** An agent's configuration file. */
export const agentSchema = z.strictObject({
  collector,
  agent_id: optional(
    z
      .string()
      .refine((value) => value.length > 0 && Buffer.byteLength(value) <= 256 && !hasControl(value))
      .meta({ allowed: 'text of 1 to 256 bytes without control characters' }),
  )
    .describe('Who the agent is to the collector, the same over restarts, unlike that of any other agent.')
    .meta({ defaultText: 'kept in `state_dir`, else made from the machine id' }),
  state_dir: optional(text())
    .describe(
      "The directory of the agent's identity and of its state file, which makes what only the agent counts outlive it.",
    )
    .meta({
      defaultText:
        '$STATE_DIRECTORY, which systemd sets, else $XDG_STATE_HOME/streamgauge-agent, else ~/.local/state/streamgauge-agent',
    }),
  resource: section({
    attributes: withDefault(attributeMapping, noAttributes)
      .describe('Attributes of the resource, each `key: value`. They go before what is detected.')
      .meta({ defaultText: 'none' }),
  }).describe('What the metrics are about.'),
  host: hostSchema,
  log: section({
    level: withDefault(z.enum(logLevels), defaults.log.level).describe(
      'The least severe entries that are written.',
    ),
  }).describe('The log, JSON lines on the standard error.'),
  shutdown_timeout: time(
    0,
    defaults.shutdownTimeoutMs,
    'How long the last report and its acknowledgement may take after SIGTERM or SIGINT.',
  ),
});

/** The typed configuration of a file's content. */
export function agentConfig(file: z.output<typeof agentSchema>): AgentConfig {
  const { collector } = file;
  return {
    collector: {
      endpoint: collector.endpoint.endpoint,
      insecure: collector.insecure,
      tls:
        usesTls(collector.endpoint, { insecure: collector.insecure, hasTls: collector.tls !== undefined }) ===
        true
          ? {
              caFile: collector.tls?.ca_file,
              certFile: collector.tls?.cert_file,
              keyFile: collector.tls?.key_file,
              serverName: collector.tls?.server_name,
            }
          : undefined,
      tokenFile: collector.token_file,
      connectTimeoutMs: collector.connect_timeout,
      keepaliveTimeMs: collector.keepalive_time,
      keepaliveTimeoutMs: collector.keepalive_timeout,
      backOff: { initialMs: collector.reconnect.initial_delay, maxMs: collector.reconnect.max_delay },
    },
    agentId: file.agent_id,
    stateDir: file.state_dir ?? defaults.stateDir,
    resource: file.resource.attributes,
    host: hostConfig(file.host),
    log: file.log,
    shutdownTimeoutMs: file.shutdown_timeout,
  };
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
