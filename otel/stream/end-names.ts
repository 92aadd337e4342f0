/** How messages for people name the end that leads the stream, and its settings. */
export interface EndNames {
  /** `this agent`: what stands for it in a sentence. */
  readonly self: string;
  /** The setting that its member id comes from. */
  readonly memberId: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly serverName: string;
  readonly tokenFile: string;
  /** What is to be done for TLS, and against it. */
  readonly withTls: string;
  readonly withoutTls: string;
}

export const agentNames: EndNames = {
  self: 'agent',
  memberId: 'agent_id',
  caFile: 'collector.tls.ca_file',
  certFile: 'collector.tls.cert_file',
  keyFile: 'collector.tls.key_file',
  serverName: 'collector.tls.server_name',
  tokenFile: 'collector.token_file',
  withTls: 'put https:// before the endpoint',
  withoutTls: 'grpc://, or insecure: true',
};

export const serviceNames: EndNames = {
  self: 'service',
  memberId: 'service.instance.id',
  caFile: 'tls.caFile',
  certFile: 'tls.certFile',
  keyFile: 'tls.keyFile',
  serverName: 'tls.serverName',
  tokenFile: 'tokenFile',
  withTls: 'put https:// before the endpoint',
  withoutTls: 'http:// before the endpoint',
};
