import type { ServiceDefinition } from '@grpc/grpc-js';

/** The path of the stream's one method, for `client.makeBidiStreamRequest`. */
export const connectPath = '/streamgauge.v1.TelemetryStream/Connect';

/** A serializer that hands bytes on, for messages that are coded by hand. */
export const sameBytes = (bytes: Buffer): Buffer => bytes;

/**
 * The service for `server.addService`, with the handler `Connect`. Messages are the bytes of an AgentMessage and a CollectorMessage,
 * since reports are decoded by hand: see report/read-report.ts and messages/.
 */
export const telemetryStreamService = {
  Connect: {
    path: connectPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
    originalName: 'connect',
  },
} as const satisfies ServiceDefinition;
