import type { OutgoingHttpHeaders } from 'node:http';

/** Thrown where a request is not passed on. The message is the answer: what is wrong, where, and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code = 'ERR_UPLOAD_REFUSED';
  /** HTTP status of the answer. */
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(status: number, message: string, options: ErrorOptions & { headers?: OutgoingHttpHeaders } = {}) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}
