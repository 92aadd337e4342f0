import type { Socket } from 'node:net';
import type { LimitCause } from '../security/exceeded.ts';

interface ClientProblem {
  readonly status: string;
  readonly sentence: string;
  readonly cause?: LimitCause;
}

const badRequest: ClientProblem = {
  status: '400 Bad Request',
  sentence: 'This is no HTTP/1.1 request.',
};

const problems: Readonly<Record<string, ClientProblem>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    sentence: 'The head of the request is longer than allowed.',
    cause: 'headers',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Payload Too Large',
    sentence: 'The chunk extensions are longer than allowed.',
    cause: 'body',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    sentence: 'The request took too long to come.',
    cause: 'request_timeout',
  },
};

/**
 * Answers a client whose request cannot be read, or does not come, and ends its connection. Gives the limit that it went over, if it did.
 * @param isAnswered an answer is under way already, so that another would be taken for a part of it
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  isAnswered: boolean,
): { readonly cause: LimitCause; readonly reason: string } | undefined {
  // It goes on sending, and has had its answer.
  if (!socket.writable) return undefined;
  const { code = '' } = error;
  // TLS failed, or the network: an answer would wait for ever to be written, and the connection with it.
  if (!/^(HPE|ERR_HTTP)_/.test(code)) {
    socket.destroy();
    return undefined;
  }
  const { status, sentence, cause } = problems[code] ?? badRequest;
  if (!isAnswered) socket.write(closingAnswer(status, sentence));
  socket.destroySoon();
  return cause === undefined ? undefined : { cause, reason: sentence };
}

/** An answer for those whose request is not looked at, as bytes. */
export function closingAnswer(status: string, sentence: string, headers = ''): Buffer {
  const body = `${sentence}\n`;
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nConnection: close\r\n${headers}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
