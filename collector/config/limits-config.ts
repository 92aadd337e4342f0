// What strangers may take. Times are milliseconds, sizes bytes, rates per second over ten seconds. Nothing here is about what agents' data may
// be: that is StreamLimits.

/** Rates hold over this long: so many seconds' worth may come at once. */
export const rateWindowSeconds = 10;

/** What any port holds its clients to. An address is an IPv4 address or the first 64 bits of an IPv6 address. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** New ones. */
  readonly maxConnectionRate: number;
  readonly maxConnectionRatePerAddress: number;
  /** All header fields of a request or call together. */
  readonly maxHeaderBytes: number;
  /** From the connection to the end of the TLS handshake, and from there to the client's first HTTP/2 settings. */
  readonly handshakeTimeoutMs: number;
  /** A connection on which nothing is asked for. */
  readonly idleTimeoutMs: number;
}

/** What the gRPC port holds its clients to. */
export interface GrpcPortLimits extends ConnectionLimits {
  /** Calls of any kind at one time. */
  readonly maxStreamsPerAddress: number;
  readonly maxStreamsPerConnection: number;
  /** New calls of any kind. */
  readonly maxStreamRatePerAddress: number;
  /** Hello comes within this. */
  readonly helloTimeoutMs: number;
  /** Messages on one stream of an agent. */
  readonly maxReportRate: number;
  /** Of messages that have come in part, of streams that are slowed down, and of what agents leave unread. */
  readonly maxBufferedBytes: number;
  readonly maxBufferedBytesPerAddress: number;
}

/** What an HTTP port holds its clients to. */
export interface HttpLimits extends ConnectionLimits {
  /** From the first byte of a request to the end of its header fields. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to its end. */
  readonly requestTimeoutMs: number;
  /** From the answer's first byte to its last. */
  readonly answerTimeoutMs: number;
  readonly maxBodyBytes: number;
}

export const grpcPortLimits: GrpcPortLimits = {
  maxConnections: 12_000,
  maxConnectionsPerAddress: 2500,
  maxConnectionRate: 1000,
  maxConnectionRatePerAddress: 250,
  maxHeaderBytes: 16 * 1024,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  maxStreamsPerAddress: 2500,
  maxStreamsPerConnection: 100,
  maxStreamRatePerAddress: 250,
  helloTimeoutMs: 10_000,
  maxReportRate: 200,
  maxBufferedBytes: 512 * 1024 * 1024,
  maxBufferedBytesPerAddress: 128 * 1024 * 1024,
};

export const httpLimits: HttpLimits = {
  maxConnections: 256,
  maxConnectionsPerAddress: 128,
  maxConnectionRate: 200,
  maxConnectionRatePerAddress: 100,
  maxHeaderBytes: 8 * 1024,
  handshakeTimeoutMs: 10_000,
  // Longer than the usual scrape interval of a minute, so that scrapers keep their connection.
  idleTimeoutMs: 65_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  answerTimeoutMs: 60_000,
  maxBodyBytes: 4 * 1024 * 1024,
};
