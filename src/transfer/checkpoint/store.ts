/** Where the checkpoint of one import is stored, so that it outlives the process. */
export interface CheckpointStore {
  /** The text that was saved last; undefined where there is none. */
  load(): Promise<string | undefined>;
  /** Replaces the stored text durably. Where this fails, the previous text is still there. */
  save(text: string): Promise<void>;
  remove(): Promise<void>;
  /**
   * Whether the source may still turn out to be another one than that of the stored text, although it says that it is
   * the same. Missing where it always knows.
   */
  readonly isUnconfirmed?: boolean;
}
