import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DirectClient } from '../../../src/source/http/direct/client.ts';
import { below, type Random } from '../mutate.ts';
import { Violation } from './subject.ts';

/** What servers send over one connection that answers several requests, as text of which each character is a byte. */
export const httpAnswers: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nyes',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nyes\r\n0\r\nTrailer: x\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nall there is until the end',
  'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
];

export const httpTokens: readonly string[] = [
  ...['\r\n', '\r\n\r\n', '\n', ' ', '\0', '0', 'f', '\r\nx: y'],
  ...['HTTP/1.1 102 Processing\r\n\r\n', 'HTTP/1.1 200 OK\r\n', 'HTTP/2 ', 'Content-Length: 9007199254740993\r\n'],
  ...['Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', '1\r\nx\r\n'],
];

const REQUESTS = 3;
/** In milliseconds; none of them has to wait for anything that is not there already. */
const TIMEOUTS = { connect: 5000, headers: 5000, body: 5000 };
/** Failures that are foreseen: of the connection, of the parser, and of the limits. */
const foreseen = /^(?:ECONNRESET|EPIPE|ENDLESS_INTERIM|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;

/** A server that answers with whatever it is given, and a client that reads that. */
export class HttpAttempts {
  readonly #server: Server;
  #answer: Buffer = Buffer.alloc(0);
  #random: Random = Math.random;

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        this.#send(socket, this.#answer);
      });
    });
  }

  async attempt(answer: Buffer, random: Random): Promise<void> {
    this.#answer = answer;
    this.#random = random;
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
    const client = new DirectClient({ timeouts: TIMEOUTS, tls: () => Promise.resolve({}) });
    try {
      for (let request = 0; request < REQUESTS; request += 1) await ask(client, url, answer.length);
    } finally {
      client.close();
    }
  }

  #send(socket: Socket, bytes: Buffer): void {
    if (socket.destroyed) return;
    const length = 1 + below(this.#random, bytes.length);
    if (length >= bytes.length) socket.end(bytes);
    else socket.write(bytes.subarray(0, length), () => this.#send(socket, bytes.subarray(length)));
  }
}

async function ask(client: DirectClient, url: URL, sent: number): Promise<void> {
  try {
    const { status, body } = await client.ask(url, { method: 'GET', headers: {} });
    // 101 is final too, though nobody asked for another protocol.
    if ((status < 200 && status !== 101) || status > 999)
      throw new Violation(`an answer ${status} was taken for the final one`);
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    if (length > sent) throw new Violation(`${length} bytes were read of ${sent}`);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string' || !foreseen.test(code)) throw error;
  }
}
