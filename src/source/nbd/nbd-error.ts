/** The server answered a request with an error. */
export class NbdError extends Error {
  override readonly name = 'NbdError';
  /** The number of the error, which is that of Linux. */
  readonly errno: number;

  constructor(what: string, errno: number, text: string) {
    super(text === '' ? `${what} failed with error ${errno}` : `${what} failed with error ${errno}: ${text}`);
    this.errno = errno;
  }
}

/** What the server sends is not the protocol. */
export class NbdViolation extends Error {
  override readonly name = 'NbdViolation';
}

/** The connection has ended before everything was answered. */
export class NbdDisconnected extends Error {
  override readonly name = 'NbdDisconnected';
}
