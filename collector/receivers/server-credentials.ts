import { ServerCredentials } from '@grpc/grpc-js';
import type { ServerTls } from '../security/server-tls.ts';

/** TLS of a gRPC server, whose files are read again when they change. */
export class TlsServerCredentials extends ServerCredentials {
  constructor(tls: ServerTls, handshakeTimeoutMs: number) {
    super({ ...tls.options, handshakeTimeout: handshakeTimeoutMs }, tls.context);
    tls.start((context) => this.updateSecureContextOptions(context));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
