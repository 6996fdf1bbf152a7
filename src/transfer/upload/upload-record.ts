import * as z from 'zod';
import type { CheckpointStore } from '../checkpoint/store.ts';

const record = z.object({
  /** Version of the image, under which the checkpoint knows it. */
  version: z.string(),
  /** Size of the image in bytes, where known. */
  size: z.number().int().nonnegative().optional(),
  /** Bytes from the start of the image that the checkpoint may depend on, and their SHA-256 in hexadecimal. */
  received: z.number().int().nonnegative(),
  sha256: z.string(),
  /** The checkpoint of the import. */
  checkpoint: z.string(),
});
/** What is stored of an upload: how far its import is durable, and by what its image is recognised. */
export type UploadRecord = z.infer<typeof record>;

/** The state of an upload, as far as its records depend on it. */
export interface RecordedUpload {
  /** What a record of this moment says of the image. */
  mark(): Omit<UploadRecord, 'checkpoint'>;
  /** Whether what has been received may still turn out to be another image than the recorded one. */
  readonly isUnconfirmed: boolean;
}

/** Reads the record of an earlier process; undefined where there is none, or it cannot be parsed. */
export async function loadRecord(store: CheckpointStore): Promise<UploadRecord | undefined> {
  const text = await store.load();
  return text === undefined ? undefined : parse(text);
}

function parse(text: string): UploadRecord | undefined {
  try {
    return record.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Stores the checkpoints of an import together with what is needed to recognise the image, when a client sends it
 * again.
 */
export class UploadRecords implements CheckpointStore {
  readonly #store: CheckpointStore;
  readonly #upload: RecordedUpload;

  constructor(store: CheckpointStore, upload: RecordedUpload) {
    this.#store = store;
    this.#upload = upload;
  }

  get isUnconfirmed(): boolean {
    return this.#upload.isUnconfirmed;
  }

  async load(): Promise<string | undefined> {
    return (await loadRecord(this.#store))?.checkpoint;
  }

  async save(checkpoint: string): Promise<void> {
    if (this.#upload.isUnconfirmed) return;
    await this.#store.save(JSON.stringify({ ...this.#upload.mark(), checkpoint } satisfies UploadRecord));
  }

  async remove(): Promise<void> {
    await this.#store.remove();
  }
}
