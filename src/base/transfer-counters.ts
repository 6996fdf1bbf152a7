const RATE_WINDOW_MILLISECONDS = 5000;
const SAMPLE_INTERVAL_MILLISECONDS = 200;

/** Counts the bytes of one transfer, and tells at which rate they come. */
export class TransferCounters {
  /** Bytes that this process has read from the source. */
  bytesRead = 0;
  /** Bytes of the source that were skipped, because the target already has them. */
  bytesSkipped = 0;
  /** Bytes that will have been read or skipped at the end, where that is known. */
  bytesTotal: number | undefined;
  /** Bytes written to the target. */
  bytesWritten = 0;
  #samples: { at: number; bytesRead: number }[] = [];

  read(bytes: number): void {
    this.bytesRead += bytes;
    const now = performance.now();
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < SAMPLE_INTERVAL_MILLISECONDS) return;
    this.#samples.push({ at: now, bytesRead: this.bytesRead });
    while ((this.#samples[0]?.at ?? now) < now - RATE_WINDOW_MILLISECONDS) this.#samples.shift();
  }

  /** Everything before this offset of the source is on the target already; what was not read of it will not be. */
  skip(position: number): void {
    this.bytesSkipped = Math.max(0, position - this.bytesRead);
  }

  /** The transfer starts over from the first byte. */
  restart(): void {
    this.bytesRead = 0;
    this.bytesSkipped = 0;
    this.bytesWritten = 0;
    this.#samples = [];
  }

  /** Bytes read a second, over the last seconds; 0 where nothing has come for a while. */
  get bytesPerSecond(): number {
    const now = performance.now();
    const first = this.#samples[0];
    if (first === undefined || now - (this.#samples.at(-1)?.at ?? now) > RATE_WINDOW_MILLISECONDS) return 0;
    const seconds = (now - first.at) / 1000;
    return seconds <= 0 ? 0 : Math.round((this.bytesRead - first.bytesRead) / seconds);
  }
}
