import { bytesText, durationText } from '../../otel/config/fields.ts';
import { shownTokenPath } from '../../otel/config/file-fault.ts';
import type { MetricReaderConfig } from '../../otel/config/metric-readers.ts';
import { attributeText } from '../../otel/model/attributes.ts';
import type { CollectorConfig } from '../config/collector-config.ts';

/** What a key of the configuration holds. */
export interface KeyValue {
  /** For people; of secrets, nothing. */
  readonly shown: string;
  /** Tells one value from another. */
  readonly compared: string;
}

const longestShown = 300;
const secret = 'a value that is not shown';

/** A configuration as the keys of its file, with what they hold: defaults too, and each reader under its name. */
export function configKeys(config: CollectorConfig): Map<string, KeyValue> {
  const keys = new Map<string, KeyValue>();
  const { grpc, http, admin, auth, otlp, readers, views, resource, storage, log } = config;
  const { portLimits, limits, ...port } = grpc;
  walk(keys, 'grpc', { ...port, limits: { ...limits, ...portLimits } });
  walk(keys, 'http', http);
  walk(keys, 'admin', admin);
  const { tokens, ...access } = auth;
  walk(keys, 'auth', access);
  for (const [i, { tokenFile, ...token }] of (tokens ?? []).entries()) {
    walk(keys, `auth.tokens[${i}]`, token);
    keys.set(`auth.tokens[${i}].token_file`, { shown: shownTokenPath(tokenFile), compared: tokenFile });
  }
  walk(keys, 'otlp', otlp);
  for (const reader of readers) addReader(keys, reader);
  for (const [i, view] of views.entries()) put(keys, `meter_provider.views[${i}]`, JSON.stringify(view));
  put(keys, 'resource.schema_url', resource.schemaUrl);
  for (const [key, value] of resource.attributes)
    put(keys, `resource.attributes.${key}`, attributeText(value));
  const { stalenessMs, evictionMs, outputExpiryMs, shutdownTimeoutMs } = config;
  walk(keys, 'streamgauge', { stalenessMs, evictionMs, outputExpiryMs, shutdownTimeoutMs, log });
  put(keys, 'streamgauge.memory', `${storage.kind === 'memory'}`);
  if (storage.kind === 'memory') return keys;
  const { path, sync, gatherMs } = storage;
  if (path !== undefined) put(keys, 'streamgauge.data_dir', path);
  walk(keys, 'streamgauge.journal', {
    sync: sync.mode,
    syncIntervalMs: sync.mode === 'interval' ? sync.intervalMs : undefined,
    gatherMs,
  });
  return keys;
}

function addReader(keys: Map<string, KeyValue>, reader: MetricReaderConfig): void {
  const at = `meter_provider.readers.${reader.name}`;
  if (reader.kind === 'prometheus') {
    const { name: _, kind: __, ...rest } = reader;
    walk(keys, at, rest);
    return;
  }
  const { name: _, kind: __, exporter, ...periodic } = reader;
  walk(keys, at, periodic);
  if (exporter.kind === 'console') {
    walk(keys, `${at}.exporter`, exporter);
    return;
  }
  const { headers, endpoint, ...rest } = exporter;
  walk(keys, `${at}.exporter`, rest);
  keys.set(`${at}.exporter.endpoint`, { shown: withoutSecrets(endpoint), compared: endpoint });
  for (const [name, value] of Object.entries(headers))
    keys.set(`${at}.exporter.headers.${name}`, { shown: secret, compared: value });
}

/** Every value below, by its path. What is `undefined` is not there. */
function walk(keys: Map<string, KeyValue>, at: string, value: object): void {
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const key = `${at}.${fileName(name)}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) walk(keys, key, inner);
    else put(keys, key, valueText(name, inner));
  }
}

function put(keys: Map<string, KeyValue>, key: string, text: string): void {
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
  keys.set(key, { shown, compared: text });
}

/** `keepaliveTimeMs` is `keepalive_time`. */
function fileName(name: string): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('Ms')) return durationText(value);
  if (typeof value === 'number' && name.includes('Bytes')) return bytesText(value);
  return typeof value === 'string' ? value : JSON.stringify(value, plain);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** A URL may hold a password, or a token as its query. */
function withoutSecrets(endpoint: string): string {
  const url = new URL(endpoint);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
