import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

/** As grpc.health.v1 names them. */
export type ServingStatus = 'SERVING' | 'NOT_SERVING';

interface HealthRequest {
  readonly service: string;
}
interface HealthAnswer {
  readonly status: ServingStatus | 'SERVICE_UNKNOWN';
}
type Watch = ServerWritableStream<HealthRequest, HealthAnswer>;

/**
 * `grpc.health.v1` for services that are named beforehand. That of grpc-health-check remembers every name that anybody ever watched, as long
 * as it may be and for good.
 */
export class HealthService {
  readonly #statuses: Map<string, ServingStatus>;
  readonly #watches: ReadonlyMap<string, Set<Watch>>;

  /** @param names of the services, '' for the server as a whole; none of them is serving yet */
  constructor(names: readonly string[]) {
    this.#statuses = new Map(names.map((name) => [name, 'NOT_SERVING']));
    this.#watches = new Map(names.map((name) => [name, new Set()]));
  }

  /** Sets the status of all services, and tells those who watch them. */
  setAll(serving: ServingStatus): void {
    for (const [name, watches] of this.#watches) {
      this.#statuses.set(name, serving);
      for (const watch of watches) watch.write({ status: serving });
    }
  }

  addToServer(server: Server): void {
    server.addService(service, {
      check: (
        { request }: ServerUnaryCall<HealthRequest, HealthAnswer>,
        answer: sendUnaryData<HealthAnswer>,
      ) => {
        const found = this.#statuses.get(request.service);
        if (found === undefined)
          answer({ code: status.NOT_FOUND, details: 'there is no service of this name' });
        else answer(null, { status: found });
      },
      watch: (call: Watch) => {
        const name = call.request.service;
        // One that is not known now never will be, and the protocol asks to hold the call all the same.
        call.write({ status: this.#statuses.get(name) ?? 'SERVICE_UNKNOWN' });
        const watches = this.#watches.get(name);
        watches?.add(call);
        for (const event of ['cancelled', 'close', 'error']) call.on(event, () => watches?.delete(call));
      },
      list: (
        _call: unknown,
        answer: sendUnaryData<{ readonly statuses: Readonly<Record<string, HealthAnswer>> }>,
      ) => {
        const statuses = [...this.#statuses].map(([name, found]) => [name, { status: found }] as const);
        answer(null, { statuses: Object.fromEntries(statuses) });
      },
    });
  }
}
