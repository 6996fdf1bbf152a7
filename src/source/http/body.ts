/** The body of an answer, to be read once. */
export interface HttpBody extends AsyncIterable<Buffer> {
  /**
   * Passes over the rest, so that the connection can be used again.
   *
   * @param options.limit in bytes: where more is left the connection is closed instead
   */
  dump(options?: { limit: number }): Promise<void>;
  /** Nobody wants the rest. */
  destroy(): unknown;
}
