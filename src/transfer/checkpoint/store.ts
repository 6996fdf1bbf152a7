/** Where the checkpoint of one import is kept, so that it outlives the process. */
export interface CheckpointStore {
  /** The text that was saved last; undefined where there is none. */
  load(): Promise<string | undefined>;
  /** Durable, and the only one, when it resolves; when it fails, the one before is still there. */
  save(text: string): Promise<void>;
  remove(): Promise<void>;
}
