/** A target that another program writes to by its descriptor. */
export interface ExternallyWritten {
  /** The descriptor of the target, for other programs to write to. Valid from `begin` or `resume` on. */
  readonly descriptor: number;
  /** The name of the QEMU driver that can write to it. */
  readonly qemuDriver: 'file' | 'host_device';
  /** Reports that another program has written the disk from its start to `end`, zeros included. */
  wroteUpTo(end: number): void;
  /**
   * Makes everything durable that was written before the call; returns the bytes of storage that the target occupies,
   * where it can tell.
   */
  syncSoFar(): Promise<number | undefined>;
}
