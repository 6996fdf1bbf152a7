/**
 * Where the identifier of a transfer is kept while it is open, so that a later process can end it where this one was
 * killed. It is no secret: nothing can be read by it without logging in.
 */
export interface OpenTransfers {
  load(): Promise<string | undefined>;
  save(transfer: string): Promise<void>;
  remove(): Promise<void>;
}
