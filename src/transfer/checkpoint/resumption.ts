import { TransferError } from '../../base/errors.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { Progress } from '../../base/progress.ts';
import type { ResumableSink } from '../../sink/resumable-sink.ts';
import { type Checkpoint, parseCheckpoint, type Subject } from './checkpoint.ts';
import { Journal } from './journal.ts';
import { holdsSamples } from './samples.ts';
import type { CheckpointStore } from './store.ts';

export interface ResumptionOptions {
  sink: ResumableSink;
  progress: Progress;
  /** Where checkpoints are stored; without a store, nothing is ever resumed. */
  store?: CheckpointStore | undefined;
  /** Milliseconds between checkpoints. */
  interval?: number | undefined;
}

/** Resumes an import where an earlier process stopped, and lets a later process resume this one. */
export class Resumption {
  readonly #options: ResumptionOptions;
  #begun = false;

  constructor(options: ResumptionOptions) {
    this.#options = options;
  }

  /** Loads the checkpoint of an earlier process; undefined where there is none, or it cannot be parsed. */
  async load(): Promise<Checkpoint | undefined> {
    const text = await this.#options.store?.load();
    if (text === undefined) return undefined;
    const checkpoint = parseCheckpoint(text);
    if (checkpoint === undefined) this.#startOver('the checkpoint cannot be read');
    return checkpoint;
  }

  /**
   * Prepares the sink to resume from a checkpoint that fits the source and the target. Otherwise reports why it does
   * not fit, and removes it.
   *
   * @param subject what is imported now; undefined where versions of its source cannot be told apart
   * @returns the checkpoint to resume from; undefined where the sink has to begin anew
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

  /** Returns the journal that makes checkpoints while a disk is written; undefined where they cannot be made. */
  journal(disk: DecodedDisk, subject: Subject | undefined, earlier: Checkpoint | undefined): Journal | undefined {
    const { store } = this.#options;
    if (store === undefined || subject === undefined) return undefined;
    return new Journal(subject, disk, { ...this.#options, store }, earlier);
  }

  /** Whether an import that ended with this failure can be resumed later. */
  async survives(error: unknown): Promise<boolean> {
    // A failure before anything was written has left the target unchanged.
    if (this.#begun && !isPassing(error)) return false;
    return (await this.#options.store?.load()) !== undefined;
  }

  /**
   * Removes the checkpoint, because the target is about to change in a way that it does not describe, or is complete.
   */
  async forget(): Promise<void> {
    this.#begun = true;
    await this.#options.store?.remove();
  }

  #startOver(why: string): void {
    this.#options.progress.note('starting over', { why });
  }
}

/** Whether a retry can help without starting over. */
export function isPassing(error: unknown): boolean {
  return error instanceof TransferError && !error.permanent && error.code !== 'SourceChanged';
}

function sourceDiffers(checkpoint: Checkpoint, subject: Subject | undefined): string | undefined {
  const { source, format, wrappers, certainOnly } = checkpoint;
  if (subject === undefined) return 'the source does not tell whether it has changed';
  if (source.location !== subject.source.location) return 'the checkpoint is of another source';
  if (source.version !== subject.source.version) return 'the source has changed';
  // Some caches know the size only once they have the whole object.
  const sizes = [source.size, subject.source.size].filter((size) => size !== undefined);
  if (new Set(sizes).size > 1) return 'the source has changed';
  if (format !== subject.format || wrappers.join() !== subject.wrappers.join())
    return 'the source has another format now';
  // With another set, another member of the archive was written.
  return certainOnly.join() === subject.certainOnly.join()
    ? undefined
    : 'the checkpoint is of another disk in the source';
}

async function targetDiffers(
  { target, virtualSize, samples }: Checkpoint,
  sink: ResumableSink,
): Promise<string | undefined> {
  if (!(await sink.resume(target, virtualSize))) return 'the target is another one';
  return (await holdsSamples(sink, samples)) ? undefined : 'the target does not hold what was written to it';
}
