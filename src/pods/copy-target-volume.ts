import { basename, join } from 'node:path';
import { emptyDirectory } from '../base/empty-directory.ts';
import { TransferError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { type CopyTargetRequest, DISK_IMAGE_PATH, type TransferTarget } from '../protocol/transfer-pod.ts';
import { listArrivedFiles } from '../transfer/copy/arrived-files.ts';
import { CheckpointFile, type CheckpointStore, CheckpointTail } from '../transfer/copy/copy-checkpoint.ts';
import { type CloneOffer, MISMATCHED_BASE, SPOILT_BASE, type TargetState } from '../transfer/copy/copy-protocol.ts';
import type { CloneReceiver, CloneTarget } from '../transfer/copy/copy-receiver.ts';
import { DiskReceiver } from '../transfer/copy/disk-receiver.ts';
import { TreeReceiver } from '../transfer/copy/tree-receiver.ts';
import { createSink } from './transfer-sink.ts';

const diskImage = basename(DISK_IMAGE_PATH);

/** The volume that a copy writes. */
export class CopyTargetVolume implements CloneTarget {
  readonly #target: TransferTarget;
  readonly #copy: string;
  readonly #directory: string;
  readonly #blockDevice: string;
  readonly #holdsBase: boolean;
  readonly #progress: Progress;
  readonly #file: CheckpointFile;

  /** @param request.copy identifies the copy, whichever pods make it */
  constructor(
    { target, holdsBase = false, copy }: Pick<CopyTargetRequest, 'target' | 'holdsBase'> & { readonly copy: string },
    paths: { dataDirectory: string; blockDevice: string },
    progress: Progress,
  ) {
    this.#target = target;
    this.#copy = copy;
    this.#holdsBase = holdsBase && target.volumeMode === 'Block';
    this.#directory = paths.dataDirectory;
    this.#blockDevice = paths.blockDevice;
    this.#progress = progress;
    this.#file = new CheckpointFile(paths.dataDirectory);
  }

  async state(): Promise<TargetState> {
    const checkpoint = await (await this.#checkpoints()).read();
    const isLost = [SPOILT_BASE, MISMATCHED_BASE].includes(checkpoint?.contentId ?? '');
    return {
      volumeMode: this.#target.volumeMode,
      ...(this.#holdsBase && !isLost && { holdsBase: true }),
      ...(checkpoint && { arrived: { contentId: checkpoint.contentId, from: checkpoint.from } }),
    };
  }

  async arrivedFiles(): Promise<Buffer> {
    const { durableBefore = 0 } = (await this.#file.read()) ?? {};
    return listArrivedFiles(this.#directory, BigInt(durableBefore));
  }

  async receiverFor({ contentType }: CloneOffer): Promise<CloneReceiver> {
    return contentType === 'filesystem-clone' ? this.#treeReceiver() : this.#diskReceiver();
  }

  #treeReceiver(): CloneReceiver {
    const { volumeMode, contentType, preallocation } = this.#target;
    if (volumeMode === 'Block') {
      throw new TransferError('UnsupportedClone', 'a tree of files cannot be copied to a Block volume');
    }
    return new TreeReceiver(
      {
        directory: this.#directory,
        volume: this.#target,
        preallocation,
        checkpoints: this.#file,
        ...(contentType === 'kubevirt' && { diskImage }),
      },
      this.#progress,
    );
  }

  async #diskReceiver(): Promise<CloneReceiver> {
    const { volumeMode, contentType } = this.#target;
    if (contentType === 'archive') {
      throw new TransferError('UnsupportedClone', 'a disk cannot be copied to a volume with contentType archive');
    }
    const paths = { diskImage: join(this.#directory, diskImage), blockDevice: this.#blockDevice };
    return new DiskReceiver(
      {
        sink: createSink(this.#target, paths, this.#progress, { overheadIsReserve: true }),
        checkpoints: await this.#checkpoints(),
        empty: volumeMode === 'Block' ? async () => undefined : () => emptyDirectory(this.#directory),
        holdsBase: this.#holdsBase,
      },
      this.#progress,
    );
  }

  async #checkpoints(): Promise<CheckpointStore> {
    return this.#target.volumeMode === 'Block' ? CheckpointTail.on(this.#blockDevice, this.#copy) : this.#file;
  }
}
