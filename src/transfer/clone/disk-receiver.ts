import type { Progress } from '../progress.ts';
import type { Sink } from '../sinks/sink.ts';
import type { CloneOffer } from './clone-protocol.ts';
import type { CloneReceiver, ReceivedClone } from './clone-receiver.ts';
import { ExtentDecoder } from './extent-stream.ts';

/** Receives a disk without its zeros (blockdevice-clone) into a disk image or onto a device. */
export class DiskReceiver implements CloneReceiver {
  readonly #sink: Sink;
  readonly #progress: Progress;
  #virtualSize = 0;
  #decoder = new ExtentDecoder(0);

  constructor(sink: Sink, progress: Progress) {
    this.#sink = sink;
    this.#progress = progress;
  }

  async begin({ virtualSize = 0 }: CloneOffer): Promise<void> {
    this.#virtualSize = virtualSize;
    this.#decoder = new ExtentDecoder(virtualSize);
    this.#progress.bytesTotal = virtualSize;
    await this.#sink.begin(virtualSize);
  }

  async write(piece: Buffer): Promise<void> {
    for (const { offset, length, data } of this.#decoder.decode(piece)) {
      if (data) await this.#sink.write({ offset, data });
      this.#progress.read(length);
    }
  }

  async finish(): Promise<ReceivedClone> {
    this.#decoder.end();
    const { size, preallocated } = await this.#sink.finish(this.#virtualSize);
    return { virtualSize: size, preallocated };
  }

  async abandon(): Promise<void> {
    await this.#sink.abandon();
  }
}
