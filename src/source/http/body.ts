/** The body of a response, which can be read once. */
export interface HttpBody extends AsyncIterable<Buffer> {
  /**
   * Discards the rest, so that the connection can be reused.
   *
   * @param options.limit in bytes: where more is left, the connection is closed instead
   */
  dump(options?: { limit: number }): Promise<void>;
  /**
   * Receives into the caller's memory, which saves a copy; missing where the body cannot.
   *
   * @returns how many bytes were received: fewer than there is room for only at the end of the body
   */
  readInto?(memory: Buffer): Promise<number>;
  /** Closes the connection, because the rest is not needed. */
  destroy(): unknown;
}
