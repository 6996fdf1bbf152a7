/** The body of a response, which can be read once. */
export interface HttpBody extends AsyncIterable<Buffer> {
  /**
   * Discards the rest, so that the connection can be reused.
   *
   * @param options.limit in bytes: where more is left, the connection is closed instead
   */
  dump(options?: { limit: number }): Promise<void>;
  /** Closes the connection, because the rest is not needed. */
  destroy(): unknown;
}
