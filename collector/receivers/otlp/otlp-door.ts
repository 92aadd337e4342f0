import { StreamgaugeError } from '../../../proto/error.ts';
import type { Denial } from '../../security/denial.ts';
import { type Grant, notPermitted } from '../../security/grant.ts';
import { Seldom } from '../../security/seldom.ts';
import type { ExportAnswer } from './export-answer.ts';
import { IdentityWatch } from './identity-watch.ts';
import type { OtlpCounters, OtlpProtocol, RequestResult } from './otlp-counters.ts';
import type { OtlpFormat } from './otlp-intake.ts';
import type { OtlpOutcome } from './otlp-outcome.ts';

/** What stands behind the doors. */
export interface OtlpHost {
  /** Takes a request into the state. @throws InvalidDataError when it is malformed */
  take(bytes: Uint8Array, format: OtlpFormat, grant: Grant | undefined): OtlpOutcome;
  /** Runs what tells the sender that its points are kept, once what was taken until now is committed. */
  whenDurable(run: () => void): void;
  /** Why nothing is taken at present, or `undefined`. */
  refusal(): { readonly reason: string; readonly retryDelayMs: number } | undefined;
}

/** A request as a door has it. */
export interface ExportRequest {
  readonly protocol: OtlpProtocol;
  /** Uncompressed. */
  readonly bytes: Uint8Array;
  /** What its sender may write, where that has bounds. */
  readonly grant: Grant | undefined;
  /** What stands for its connection as long as that lives. */
  readonly connection: object;
  /** The peer's address and port, for logs. */
  readonly address: string;
  /** Told of resources that the credentials do not permit. */
  readonly onDenied: (denial: Denial) => void;
}

export interface OtlpDoorOptions {
  readonly host: OtlpHost;
  readonly counters: OtlpCounters;
  readonly log: (level: 'warn' | 'error', fields: object, message: string) => void;
}

const resultOf: Readonly<Record<Exclude<ExportAnswer['kind'], 'taken'>, RequestResult>> = {
  invalid: 'invalid',
  unavailable: 'unavailable',
  failed: 'failed',
};

/** Where requests of both protocols come together: they are taken, counted, told of in the log, and answered once they are committed. */
export class OtlpDoor {
  readonly #options: OtlpDoorOptions;
  readonly #seldom = new Seldom();
  readonly #identities: IdentityWatch;
  readonly #otherSignals = new Set<string>();

  constructor(options: OtlpDoorOptions) {
    this.#options = options;
    this.#identities = new IdentityWatch((member) => {
      options.counters.identityConflicts++;
      options.log(
        'warn',
        { member },
        'two processes send OTLP under one identity, so that points of one are refused: give each a service.instance.id of its own',
      );
    });
  }

  /** @param answer called once */
  export(request: ExportRequest, answer: (answer: ExportAnswer) => void): void {
    const { host, counters } = this.#options;
    const taken = this.#take(request);
    if (!(taken instanceof Object && 'outcome' in taken)) {
      counters.request(request.protocol, resultOf[taken.kind]);
      answer(taken);
      return;
    }
    const { outcome } = taken;
    this.#tell(request, outcome);
    const { refused: rejected, message } = outcome;
    counters.request(request.protocol, rejected > 0 ? 'partial' : 'taken');
    host.whenDurable(() => answer({ kind: 'taken', rejected, message }));
  }

  /** Somebody sends what is not metrics. Gives the sentence for its log; ours has one for each kind. */
  otherSignal(signal: string, address: string): string {
    const sentence = `this collector takes metrics only: switch off the exporter of ${signal}, or send ${signal} elsewhere`;
    if (!this.#otherSignals.has(signal)) {
      this.#otherSignals.add(signal);
      this.#options.log('warn', { signal, peer: address }, sentence);
    }
    return sentence;
  }

  #take(
    request: ExportRequest,
  ): { readonly outcome: OtlpOutcome } | Exclude<ExportAnswer, { readonly kind: 'taken' }> {
    const { host, counters, log } = this.#options;
    const { bytes, protocol, grant, address } = request;
    const refusal = host.refusal();
    if (refusal !== undefined)
      return { kind: 'unavailable', message: refusal.reason, retryDelayMs: refusal.retryDelayMs };
    counters.bytes += bytes.length;
    const startedMs = performance.now();
    try {
      return { outcome: host.take(bytes, protocol === 'http_json' ? 'json' : 'protobuf', grant) };
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      const { message } = error;
      if (error.kind === 'invalid_data') {
        this.#warn(address, 'invalid', { reason: message }, 'a request is no OTLP request');
        return { kind: 'invalid', message };
      }
      if (error.retryable || error.kind === 'cancelled')
        return { kind: 'unavailable', message, retryDelayMs: error.retryDelayMs ?? usualRetryDelayMs };
      log('error', { err: error, peer: address }, 'a request made the collector fail; please report this');
      return { kind: 'failed', message: 'the collector failed on this request; its log says why' };
    } finally {
      counters.takeMs += performance.now() - startedMs;
    }
  }

  #tell({ grant, connection, address, onDenied }: ExportRequest, outcome: OtlpOutcome): void {
    this.#options.counters.taken(outcome);
    for (const reason of outcome.denials)
      if (grant !== undefined) onDenied(notPermitted(grant, 'resource', reason));
    if (outcome.refused > 0)
      this.#warn(address, 'refused', { reason: outcome.message }, 'data points were refused');
    this.#identities.saw(outcome.members, connection);
  }

  /** Once a minute of one kind and address. */
  #warn(address: string, kind: string, fields: object, message: string): void {
    const times = this.#seldom.due(`${kind} ${address.replace(/:\d+$/, '')}`, kind);
    if (times === undefined) return;
    this.#options.log('warn', { peer: address, ...fields, ...(times > 1 && { times }) }, message);
  }
}

const usualRetryDelayMs = 1000;
