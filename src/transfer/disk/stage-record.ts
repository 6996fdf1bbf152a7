import * as z from 'zod';
import type { CheckpointStore } from '../checkpoint/store.ts';
import type { Stage } from './stage.ts';

const stageState = z.object({
  version: z.literal(1),
  /** Snapshot that the target holds. */
  holds: z.string(),
  /** All names of that snapshot; missing where they are not known. */
  names: z.array(z.string()).readonly().optional(),
  /** Snapshot to which a stage was begun that has not ended: the target may hold parts of it. */
  towards: z.string().optional(),
  /** Size of the disk in bytes. */
  size: z.number().int().nonnegative(),
});
/** What a target holds between the stages of an import. */
export type StageState = Omit<z.infer<typeof stageState>, 'version'>;

/** Whether a target holds the snapshot of a stage already, so that only its end was not heard of. */
export function isComplete(state: StageState | undefined, { current }: Stage): boolean {
  return state !== undefined && state.holds === current && state.towards === undefined;
}

/**
 * Remembers what a target holds, from the end of the first stage to the end of the final one. Without a store nothing
 * is remembered, and whoever asks for a stage has to know.
 */
export class StageRecord {
  readonly #store: CheckpointStore | undefined;

  constructor(store: CheckpointStore | undefined) {
    this.#store = store;
  }

  get isKept(): boolean {
    return this.#store !== undefined;
  }

  /** Returns undefined where there is no record, or none that can be read. */
  async load(): Promise<StageState | undefined> {
    const text = await this.#store?.load();
    try {
      return text === undefined ? undefined : stageState.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  }

  async save(state: StageState): Promise<void> {
    await this.#store?.save(JSON.stringify({ version: 1, ...state }));
  }

  async forget(): Promise<void> {
    await this.#store?.remove();
  }
}
