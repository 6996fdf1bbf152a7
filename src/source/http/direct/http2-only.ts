/** A server speaks HTTP/2 but not HTTP/1.1. */
export class Http2Only extends Error {
  override readonly name = 'Http2Only';
  readonly code = 'HTTP2_ONLY';

  constructor() {
    super('the server speaks HTTP/2');
  }
}
