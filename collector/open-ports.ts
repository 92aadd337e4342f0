import { hostPort } from '../otel/config/addresses.ts';
import { StreamgaugeError } from '../proto/error.ts';

/** Who serves a port. `stop` is safe before start and when repeated. */
export interface PortServer {
  /** Listens, and gives the port. @throws StreamgaugeError `config` when the address cannot be had */
  start(): Promise<number>;
  /** Takes no new connections, so that another may listen there; those that there are go on. */
  suspend(): void;
  /** Listens again where it did. @throws StreamgaugeError `config` when the address cannot be had any more */
  resume(): Promise<void>;
  /** Takes no new connections, lets what is under way end within the deadline, and stops. */
  release(deadlineMs: number): Promise<void>;
  /** Says to those who look that nothing new is taken here. Absent: nobody looks. */
  notServing?(): void;
  stop(): Promise<void>;
}

/** What a port is to be. */
export interface PortSpec {
  /** `grpc`, `http`, `admin`, the name of a reader. */
  readonly name: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** All else that it is made of, as text: one with equal settings need not be made anew. */
  readonly settings: string;
  /** @throws StreamgaugeError `config` when a file that it needs cannot be used */
  make(port: number): PortServer;
}

interface OpenPort {
  readonly spec: PortSpec;
  readonly server: PortServer;
  /** The one that is bound. */
  readonly port: number;
}

/** Ports that have been opened beside, or in the place of, those in use: either of the two functions is to be called. */
export interface PortsChange {
  /** By name, as it will be. */
  portOf(name: string): number;
  /** The new ones are in use. Gives those that are not any more, which are to be released. */
  commit(): PortServer[];
  /** Everything is as it was. @throws StreamgaugeError `config` when an address cannot be had any more that was given up for a moment */
  undo(): Promise<void>;
}

/** The ports that are listened on, by name. */
export class OpenPorts {
  #ports = new Map<string, OpenPort>();
  /** They are not in use any more, and have something to end. */
  readonly #leaving = new Set<PortServer>();

  /** Listens. @throws StreamgaugeError `config` as {@link PortServer.start} and {@link PortSpec.make}; `stop` stops what there is */
  async open(spec: PortSpec): Promise<void> {
    const server = spec.make(spec.port);
    this.#ports.set(spec.name, { spec, server, port: 0 });
    this.#ports.set(spec.name, { spec, server, port: await server.start() });
  }

  /** By name; 0 for one that is not open. */
  portOf(name: string): number {
    return this.#ports.get(name)?.port ?? 0;
  }

  /** `HOST:PORT`, or '' for one that is not open. */
  addressOf(name: string): string {
    const open = this.#ports.get(name);
    return open === undefined ? '' : hostPort(open.spec.host, open.port);
  }

  /** In the order in which they were opened. */
  get all(): { readonly name: string; readonly server: PortServer }[] {
    return [...this.#ports].map(([name, { server }]) => ({ name, server }));
  }

  /**
   * Opens what is to be there from now on, beside what is in use; those that are as they were stay. Where one is to listen where another does, that one stops listening, and
   * its connections go on.
   * @throws StreamgaugeError as {@link OpenPorts.open}; then everything is as it was
   */
  async change(specs: readonly PortSpec[]): Promise<PortsChange> {
    const next = new Map<string, OpenPort>();
    const made: OpenPort[] = [];
    for (const spec of specs) {
      const open = this.#ports.get(spec.name);
      const isThere = open !== undefined && open.spec.host === spec.host && open.spec.port === spec.port;
      if (isThere && open.spec.settings === spec.settings) next.set(spec.name, open);
      else {
        // A port that was picked stays.
        const port = isThere ? open.port : spec.port;
        made.push({ spec, server: spec.make(port), port });
      }
    }
    const leaving = [...this.#ports.values()].filter((open) => next.get(open.spec.name) !== open);
    const suspended: OpenPort[] = [];
    const started: OpenPort[] = [];
    const undo = async (): Promise<void> => {
      for (const { server } of started) await server.stop();
      for (const { server } of suspended) await server.resume();
    };
    const taken = new Set(leaving.map(({ port }) => port));
    // Those that are in nobody's way first: most of what can fail does so before anything has stopped listening.
    made.sort((a, b) => Number(taken.has(a.port)) - Number(taken.has(b.port)));
    try {
      for (const { spec, server, port } of made) {
        for (const open of leaving) {
          if (open.port !== port || port === 0 || suspended.includes(open)) continue;
          open.server.suspend();
          suspended.push(open);
        }
        started.push({ spec, server, port });
        const bound = { spec, server, port: await server.start() };
        next.set(spec.name, bound);
      }
    } catch (error) {
      await undone(undo, error);
    }
    return {
      portOf: (name) => next.get(name)?.port ?? 0,
      commit: () => {
        this.#ports = next;
        for (const { server } of leaving) this.#leaving.add(server);
        return leaving.map(({ server }) => server);
      },
      undo,
    };
  }

  /** Lets go of one that is not in use any more. */
  async release(server: PortServer, deadlineMs: number): Promise<void> {
    await server.release(deadlineMs);
    this.#leaving.delete(server);
  }

  async stop(): Promise<void> {
    const servers = [...this.all.map(({ server }) => server), ...this.#leaving];
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Takes a change back and throws its failure. */
async function undone(undo: () => Promise<void>, error: unknown): Promise<never> {
  try {
    await undo();
  } catch (second) {
    throw new StreamgaugeError(
      'config',
      `${StreamgaugeError.from(error).message} What was there before could not be brought back: ${StreamgaugeError.from(second).message}`,
      { cause: error },
    );
  }
  throw error;
}
