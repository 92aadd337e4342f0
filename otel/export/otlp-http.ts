import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { readStatusDetails } from '../otlp/export-answer.ts';
import { httpEndpoint, shownUrl } from './endpoint.ts';
import { defaultTimeoutMs, type OtlpSenderOptions, successOf } from './otlp-grpc.ts';
import { delegateSender, type OtlpTransport } from './otlp-transport.ts';
import { redactor } from './redact.ts';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';
import { retryAfterMs } from './retry-after.ts';

const compress = promisify(gzip);
const largestAnswerBytes = 1024 * 1024;
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends over OTLP/HTTP as protobuf.
 * @throws EndpointError, or RangeError for a header that HTTP does not allow
 */
export function otlpHttpSender(options: OtlpSenderOptions): RequestSender {
  const transport = new HttpTransport(options);
  return delegateSender(transport, options.timeoutMs ?? defaultTimeoutMs, transport.shown);
}

class HttpTransport implements OtlpTransport {
  readonly shown: string;
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #gzip: boolean;
  readonly #redact: (text: string) => string;
  readonly #makeAgent: () => Agent | Promise<Agent>;
  #agent: Agent | undefined;

  constructor(options: OtlpSenderOptions) {
    this.#url = httpEndpoint(options.endpoint);
    this.shown = shownUrl(this.#url);
    checkHeaders(options.headers ?? {});
    this.#gzip = options.compression === 'gzip';
    this.#headers = {
      ...options.headers,
      'user-agent': options.userAgent ?? 'streamgauge',
      'content-type': 'application/x-protobuf',
      ...(this.#gzip && { 'content-encoding': 'gzip' }),
    };
    this.#redact = redactor(options.headers ?? {});
    const makeAgent = httpAgentFactoryFromOptions({ keepAlive: true, ...options.tls });
    this.#makeAgent = () => makeAgent(this.#url.protocol);
  }

  async send(bytes: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<SendResult> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const body = this.#gzip ? await compress(bytes) : bytes;
      this.#agent ??= await this.#makeAgent();
      const answer = await this.#post(body, this.#agent, AbortSignal.any([signal, timeout]));
      return this.#resultOf(answer);
    } catch (cause) {
      const { message, code } = cause as NodeJS.ErrnoException;
      if (timeout.aborted && !signal.aborted) {
        const error = new SendError(
          `${this.shown} did not answer within ${timeoutMs} ms`,
          'DEADLINE_EXCEEDED',
        );
        return { kind: 'retryable', error };
      }
      // No answer came, so nothing says that the same bytes would fail again.
      const error = new SendError(`${this.shown}: ${this.#redact(message)}`, code ?? 'NO_ANSWER', { cause });
      return { kind: 'retryable', error };
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  #post(body: Uint8Array, agent: Agent, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const start = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const headers = { ...this.#headers, 'content-length': body.length };
      const request: ClientRequest = start(
        this.#url,
        { method: 'POST', agent, headers, signal },
        (response) => {
          readAnswer(response).then(resolve, reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  #resultOf({ response, body }: Answer): SendResult {
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) {
      if (body !== undefined) return successOf(body, this.#redact);
      return { kind: 'success', warning: `the answer is longer than ${largestAnswerBytes} bytes` };
    }
    const { message, retryDelayMs } = failureDetails(response, body ?? noBody);
    const text = this.#redact(message || response.statusMessage || 'no details');
    const hint =
      code >= 300 && code < 400 ? '; redirects are not followed: set the endpoint to where it leads' : '';
    const error = new SendError(`${this.shown} answered ${code}: ${text}${hint}`, codeOf(code));
    if (!retryableStatuses.has(code)) return { kind: 'permanent', error };
    return {
      kind: 'retryable',
      error,
      delayMs: retryAfterMs(response.headers['retry-after'], Date.now()) ?? retryDelayMs,
    };
  }
}

interface Answer {
  readonly response: IncomingMessage;
  /** `undefined` when it is longer than answers may be. */
  readonly body: Buffer | undefined;
}

const noBody = Buffer.alloc(0);

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What was said is known by now; the connection ends with the loop.
    if (size > largestAnswerBytes) return { response, body: undefined };
    chunks.push(chunk);
  }
  return { response, body: Buffer.concat(chunks) };
}

/** Statuses that nobody knows are their class, so that a backend cannot make up as many causes as it likes. */
function codeOf(status: number): string {
  return STATUS_CODES[status] === undefined ? `${Math.floor(status / 100)}xx` : String(status);
}

/** OTLP/HTTP answers failures with a google.rpc.Status; proxies with whatever they like. */
function failureDetails(
  response: IncomingMessage,
  body: Buffer,
): { message: string; retryDelayMs: number | undefined } {
  if (response.headers['content-type']?.startsWith('application/x-protobuf')) {
    try {
      return readStatusDetails(body);
    } catch {
      return { message: '', retryDelayMs: undefined };
    }
  }
  const isText = /^(text\/plain|application\/json)/.test(response.headers['content-type'] ?? '');
  return { message: isText ? body.toString('utf8', 0, 2048).trim() : '', retryDelayMs: undefined };
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new RangeError(
        `header ${JSON.stringify(name)}: name or value has characters that HTTP does not allow; use visible ASCII`,
      );
    }
  }
}
