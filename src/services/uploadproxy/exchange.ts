import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Longest body of an answer in bytes: they are sentences. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * One request to an upload server. Its head is sent at once with `Expect: 100-continue` (RFC 9110 section 10.1.1), and
 * its body only once the server wants it: until then, the request can be repeated over another connection.
 */
export class Exchange {
  /** Takes the body. */
  readonly request: ClientRequest;
  /** The server's answer, which may come before the body has ended; rejected when the connection breaks before. */
  readonly answer: Promise<Answer>;
  readonly #wanted: Promise<void>;

  constructor(socket: TLSSocket, head: { method: string; path: string; headers: OutgoingHttpHeaders }) {
    const hasBody = head.method !== 'HEAD';
    const headers = {
      ...head.headers,
      host: socket.servername || 'upload-server',
      // A server that answers early must not close the connection while the body is being written.
      connection: 'keep-alive',
      ...(hasBody && { expect: '100-continue' }),
    };
    this.request = httpRequest({ ...head, headers, createConnection: () => socket });
    this.#wanted = new Promise((resolve) => this.request.once('continue', resolve));
    this.answer = new Promise((resolve, reject) => {
      this.request.once('response', (response) => void readAnswer(response).then(resolve, reject));
      this.request.on('error', reject);
      this.request.once('close', () => reject(new Error('the connection was closed')));
    });
    // Whoever awaits it learns of a failure; nobody may await it yet.
    this.answer.catch(() => undefined);
    if (hasBody) this.request.flushHeaders();
    else this.request.end();
  }

  /**
   * Resolves when the server wants the body, or has answered.
   *
   * @returns whether it wants the body
   * @throws Error if the connection broke before that
   */
  async begun(): Promise<boolean> {
    return Promise.race([this.#wanted.then(() => true), this.answer.then(() => false)]);
  }

  /** Closes the connection. */
  end(): void {
    this.request.destroy();
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  if (status < 200 || status > 599) throw new Error(`its answer has the status ${status}, which is none`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) throw new Error(`its answer is longer than ${LONGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}
