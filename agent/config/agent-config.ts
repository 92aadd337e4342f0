import type { LogLevel } from '../../otel/config/log-level.ts';
import type { Attributes } from '../../otel/model/attributes.ts';
import { noAttributes } from '../../otel/model/attributes.ts';
import type { ChannelTls } from '../../otel/stream/channel-tls.ts';
import { type HostOptions, hostDefaults } from '../sources/host/host-options.ts';

// What an agent's configuration comes to. Times are milliseconds. Loads no schema library: an agent without a file needs none.

export interface CollectorAddress {
  /** `HOST:PORT`. */
  readonly endpoint: string;
  /** An address that is not on this machine is sent to without TLS only with true. */
  readonly insecure: boolean;
  /** `undefined`: no TLS. */
  readonly tls?: ChannelTls | undefined;
  /** A file that holds a bearer token. */
  readonly tokenFile?: string | undefined;
  /** How long a connection and the collector's Welcome may take together. */
  readonly connectTimeoutMs: number;
  /** A ping after so long without data, and so long for its answer. */
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** The wait before the next attempt doubles from one to the other. */
  readonly backOff: { readonly initialMs: number; readonly maxMs: number };
}

export interface HostConfig extends HostOptions {
  readonly enabled: boolean;
  /** Stands before /proc and /sys: '' or, in a container, where the host's root is mounted: `/host`. */
  readonly rootPath: string;
}

export interface AgentConfig {
  readonly collector: CollectorAddress;
  /** `undefined`: kept in the state directory, else made from the machine id. */
  readonly agentId: string | undefined;
  /** The directory of the identity and the state file. `undefined`: nothing is kept. */
  readonly stateDir: string | undefined;
  /** Go over what is detected. */
  readonly resource: Attributes;
  readonly host: HostConfig;
  readonly log: { readonly level: LogLevel };
  /** The deadline of the last report and its acknowledgement at SIGTERM and SIGINT. */
  readonly shutdownTimeoutMs: number;
}

/** The configuration without a file and without environment variables. */
export const agentDefaults: AgentConfig = {
  collector: {
    endpoint: '127.0.0.1:4317',
    insecure: false,
    tls: undefined,
    tokenFile: undefined,
    connectTimeoutMs: 10_000,
    keepaliveTimeMs: 120_000,
    keepaliveTimeoutMs: 10_000,
    backOff: { initialMs: 1_000, maxMs: 30_000 },
  },
  agentId: undefined,
  stateDir: undefined,
  resource: noAttributes,
  host: { ...hostDefaults, enabled: true, rootPath: '' },
  log: { level: 'info' },
  shutdownTimeoutMs: 5_000,
};
