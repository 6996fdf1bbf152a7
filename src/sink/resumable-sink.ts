import type { Sink } from './sink.ts';

/** What another process has to know to resume a half-written disk. It survives a round trip through JSON. */
export interface UnfinishedTarget {
  /** Identifies the target, should another one be in its place later. */
  identity: string;
  /** Ranges that have been written, as [start, end); undefined where the rest of the target reads as zeros. */
  written?: [start: number, end: number][] | undefined;
  /** Whether parts of a disk are replaced that was there before: its other parts stay. */
  isUpdate?: boolean | undefined;
}

/** A target on which another process can resume a disk. */
export interface ResumableSink extends Sink {
  /**
   * Resumes a disk that another process has begun, in place of `begin`.
   *
   * @returns false where the target is another one, or has changed since
   */
  resume(unfinished: UnfinishedTarget, virtualSize: number | undefined): Promise<boolean>;
  /** Reads from a target that was begun or resumed; returns fewer bytes at its end. */
  read(offset: number, length: number): Promise<Buffer>;
  /**
   * Makes everything durable that was written before the call. Writing may continue meanwhile.
   *
   * @returns undefined where too much would have to be remembered to resume from here
   */
  checkpoint(): Promise<UnfinishedTarget | undefined>;
  /** Leaves the unfinished disk as it is, for another process to resume. */
  suspend(): Promise<void>;
}
