import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { type ChannelTls, firstToken, secureContext } from '../../otel/stream/channel-tls.ts';
import { agentNames } from '../../otel/stream/end-names.ts';

/** What a connection presents. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly metadata: Metadata;
}

/**
 * Reads what the next connection presents, so that it has what the files hold by then.
 * @throws StreamgaugeError `config` naming the file, what is wrong with it and what helps
 */
export function channelSecurity(tls: ChannelTls | undefined, tokenFile: string | undefined): ChannelSecurity {
  const metadata = new Metadata();
  if (tokenFile !== undefined) metadata.set('authorization', `Bearer ${firstToken(tokenFile, agentNames)}`);
  return {
    credentials:
      tls === undefined
        ? credentials.createInsecure()
        : credentials.createFromSecureContext(secureContext(tls, agentNames)),
    metadata,
  };
}
