import type { DecodedDisk, Extent } from '../../base/extents.ts';
import type { Progress } from '../../base/progress.ts';
import type { ResumableSink } from '../../sink/resumable-sink.ts';
import type { Checkpoint, Sample, Subject } from './checkpoint.ts';
import { takeSample } from './samples.ts';
import type { CheckpointStore } from './store.ts';

/** Milliseconds between checkpoints, and so the work that a killed import has to repeat. */
export const DEFAULT_INTERVAL_MILLISECONDS = 2000;
/** The first sample and the latest ones. */
const MOST_SAMPLES = 4;

/**
 * Makes checkpoints behind the writer while a disk is written. A checkpoint that cannot be made or stored is reported
 * but is no failure: it only means that the import cannot be resumed there.
 */
export class Journal {
  readonly #subject: Subject;
  readonly #disk: DecodedDisk;
  readonly #sink: ResumableSink;
  readonly #store: CheckpointStore;
  readonly #progress: Progress;
  readonly #interval: number;
  readonly #samples: Sample[];
  #savedAt = performance.now();
  #saving: Promise<void> | undefined;
  #broken = false;
  /** The position of the decoder, as of the last extent that the sink has accepted. */
  #position: number | undefined;

  /** @param earlier the checkpoint from which the disk was resumed */
  constructor(
    subject: Subject,
    disk: DecodedDisk,
    { sink, progress, store, interval = DEFAULT_INTERVAL_MILLISECONDS }: JournalOptions,
    earlier?: Checkpoint,
  ) {
    this.#subject = subject;
    this.#disk = disk;
    this.#sink = sink;
    this.#progress = progress;
    this.#store = store;
    this.#interval = interval;
    this.#samples = [...(earlier?.samples ?? [])];
  }

  /**
   * Has to be awaited before each extent is written. What an unconfirmed source writes is not what the stored
   * checkpoint describes, should it be another one after all.
   */
  async precede(): Promise<void> {
    if (this.#store.isUnconfirmed === true) await this.#store.remove();
  }

  /** Has to be called after each extent that the sink has accepted, while its data is valid. */
  wrote(extent: Extent): void {
    this.#position = this.#disk.position;
    const due = this.#saving === undefined && performance.now() - this.#savedAt >= this.#interval;
    if (due || this.#samples.length === 0) this.#sample(extent);
    if (!due) return;
    this.#saving = this.#save().finally(() => {
      this.#savedAt = performance.now();
      this.#saving = undefined;
    });
  }

  /** Waits for a checkpoint in progress. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  /** Makes a final checkpoint of everything that was written. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#save();
  }

  #sample(extent: Extent): void {
    const sample = takeSample(extent);
    if (sample === undefined) return;
    if (this.#samples.length === MOST_SAMPLES) this.#samples.splice(1, 1);
    this.#samples.push(sample);
  }

  async #save(): Promise<void> {
    const { virtualSize } = this.#disk;
    const position = this.#position;
    if (position === undefined || this.#broken || this.#samples.length === 0) return;
    const samples = [...this.#samples];
    try {
      const target = await this.#sink.checkpoint();
      if (target === undefined) return;
      const size = virtualSize === undefined ? {} : { virtualSize };
      const checkpoint: Checkpoint = { version: 1, ...this.#subject, position, ...size, target, samples };
      await this.#store.save(JSON.stringify(checkpoint));
    } catch (error) {
      this.#broken = true;
      this.#progress.note('no checkpoints', { cause: error instanceof Error ? error.message : String(error) });
    }
  }
}

export interface JournalOptions {
  sink: ResumableSink;
  progress: Progress;
  store: CheckpointStore;
  /** Milliseconds between checkpoints. */
  interval?: number | undefined;
}
