import { TransferError } from '../../base/errors.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { Progress } from '../../base/progress.ts';
import type { Sink } from '../../sink/sink.ts';
import { parseCheckpoint, type Checkpoint, type Subject } from './checkpoint.ts';
import { Journal } from './journal.ts';
import { holdsSamples } from './samples.ts';
import type { CheckpointStore } from './store.ts';

export interface ResumptionOptions {
  sink: Sink;
  progress: Progress;
  /** Where checkpoints are kept; nothing is ever resumed where there is none. */
  store?: CheckpointStore | undefined;
  /** Milliseconds between checkpoints. */
  interval?: number | undefined;
}

/** How one import goes on from where an earlier process left it, and leaves itself to be gone on with. */
export class Resumption {
  readonly #options: ResumptionOptions;
  #begun = false;

  constructor(options: ResumptionOptions) {
    this.#options = options;
  }

  /** The checkpoint that an earlier process left; undefined where there is none, or none that can be read. */
  async load(): Promise<Checkpoint | undefined> {
    const text = await this.#options.store?.load();
    if (text === undefined) return undefined;
    const checkpoint = parseCheckpoint(text);
    if (checkpoint === undefined) this.#startOver('the checkpoint cannot be read');
    return checkpoint;
  }

  /**
   * Makes the sink ready to go on from a checkpoint that fits the source and the target. Otherwise says why it does not, and forgets it.
   *
   * @param subject what is imported now; undefined where its source does not tell versions apart
   * @returns the checkpoint to go on from; undefined where the sink has to be begun anew
   */
  async take(checkpoint: Checkpoint | undefined, subject: Subject | undefined): Promise<Checkpoint | undefined> {
    const { progress } = this.#options;
    if (checkpoint !== undefined) {
      const why = sourceDiffers(checkpoint, subject) ?? (await targetDiffers(checkpoint, this.#options.sink));
      this.#begun = true;
      if (why === undefined) {
        progress.note('resuming', { position: checkpoint.position });
        return checkpoint;
      }
      this.#startOver(why);
    }
    await this.forget();
    return undefined;
  }

  /** What keeps checkpoints while a disk is written. */
  journal(disk: DecodedDisk, subject: Subject | undefined, earlier: Checkpoint | undefined): Journal | undefined {
    const { store } = this.#options;
    if (store === undefined || subject === undefined) return undefined;
    return new Journal(subject, disk, { ...this.#options, store }, earlier);
  }

  /** Whether an import that ended with this failure can be gone on with later. */
  async survives(error: unknown): Promise<boolean> {
    // What failed before it came to the target has changed nothing there.
    if (this.#begun && !isPassing(error)) return false;
    return (await this.#options.store?.load()) !== undefined;
  }

  /** Removes the checkpoint: what is done to the target from now on does not agree with it, or needs none. */
  async forget(): Promise<void> {
    this.#begun = true;
    await this.#options.store?.remove();
  }

  #startOver(why: string): void {
    this.#options.progress.note('starting over', { why });
  }
}

/** Whether trying again can help, and then need not begin anew. */
export function isPassing(error: unknown): boolean {
  return error instanceof TransferError && !error.permanent && error.code !== 'SourceChanged';
}

function sourceDiffers(checkpoint: Checkpoint, subject: Subject | undefined): string | undefined {
  const { source, format, wrappers, certainOnly } = checkpoint;
  if (subject === undefined) return 'the source does not tell whether it has changed';
  if (source.location !== subject.source.location) return 'the checkpoint is of another source';
  if (source.version !== subject.source.version) return 'the source has changed';
  // Some caches know the size only once they have all of it.
  const sizes = [source.size, subject.source.size].filter((size) => size !== undefined);
  if (new Set(sizes).size > 1) return 'the source has changed';
  if (format !== subject.format || wrappers.join() !== subject.wrappers.join())
    return 'the source has another format now';
  // Of one archive, another member was written.
  return certainOnly.join() === subject.certainOnly.join()
    ? undefined
    : 'the checkpoint is of another disk in the source';
}

async function targetDiffers({ target, virtualSize, samples }: Checkpoint, sink: Sink): Promise<string | undefined> {
  if (!(await sink.resume(target, virtualSize))) return 'the target is another one';
  return (await holdsSamples(sink, samples)) ? undefined : 'the target does not hold what was written to it';
}
