/** Reasons of the API server's own (k8s.io/apimachinery), by their HTTP status. */
const reasons = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  Conflict: 409,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  InternalError: 500,
  ServiceUnavailable: 503,
} as const;
export type StatusReason = keyof typeof reasons;

/** Thrown where a request is refused. The message is shown to the user: what is wrong, where, and what to do. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code = 'ERR_API_STATUS';
  readonly reason: StatusReason;

  constructor(reason: StatusReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }

  /** HTTP status. */
  get status(): number {
    return reasons[this.reason];
  }

  /** The body of the answer, of kind Status. */
  get body(): object {
    const { message, reason, status } = this;
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status };
  }
}
