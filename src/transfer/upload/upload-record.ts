import * as z from 'zod';
import { firstByteFor } from '../../image/formats/decode.ts';
import { BLOCK_BYTES } from '../../server/chained-hash.ts';
import { parseCheckpoint } from '../checkpoint/checkpoint.ts';
import type { CheckpointStore } from '../checkpoint/store.ts';

const record = z.object({
  /** Version of the image, under which the checkpoint knows it. */
  version: z.string(),
  /** Size of the image in bytes, where known. */
  size: z.number().int().nonnegative().optional(),
  /** Bytes from the start of the image that the checkpoint may depend on, and their digest. */
  received: z.number().int().nonnegative(),
  digest: z.string(),
  /** Where a client may continue; it has to send all of the image where this is missing. */
  continues: z.object({ position: z.number().int().positive().multipleOf(BLOCK_BYTES), digest: z.string() }).optional(),
  /** The checkpoint of the import. */
  checkpoint: z.string(),
});
/** What is stored of an upload: how far its import is durable, and by what its image is recognised. */
export type UploadRecord = z.infer<typeof record>;

/** The state of an upload, as far as its records depend on it. */
export interface RecordedUpload {
  /**
   * What a record of this moment says of the image.
   *
   * @param neededFrom the first byte that an import which resumes needs
   */
  mark(neededFrom: number): Omit<UploadRecord, 'checkpoint'>;
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
    const neededFrom = firstByteNeeded(checkpoint);
    await this.#store.save(JSON.stringify({ ...this.#upload.mark(neededFrom), checkpoint } satisfies UploadRecord));
  }

  async remove(): Promise<void> {
    await this.#store.remove();
  }
}

/** Returns the offset in the image from which an import reads when it resumes. */
function firstByteNeeded(checkpoint: string): number {
  const { format, wrappers, position } = parseCheckpoint(checkpoint) ?? {};
  if (format === undefined || position === undefined || wrappers?.length !== 0) return 0;
  return firstByteFor(format, position);
}
