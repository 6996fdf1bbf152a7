import { kill, pid } from 'node:process';
import type { Extent } from '../../../src/base/extents.ts';
import { Progress } from '../../../src/base/progress.ts';
import { keepGarbageSmall } from '../../../src/pods/memory.ts';
import { createSink } from '../../../src/pods/transfer-sink.ts';
import type { TransferTarget } from '../../../src/protocol/transfer-pod.ts';
import { parseCheckpoint } from '../../../src/transfer/checkpoint/checkpoint.ts';
import { FileCheckpointStore } from '../../../src/transfer/checkpoint/file-store.ts';
import { importDisk } from '../../../src/transfer/disk/import-disk.ts';
import type { Stage } from '../../../src/transfer/disk/stage.ts';
import { RangedDisk } from './ranged-disk.ts';

/** What the process gets as JSON. */
export interface DiskImportRequest {
  /** Of a server with a {@link RangedDisk}. */
  url: string;
  /** The file or the device. */
  path: string;
  /** Path before the extensions of the checkpoint and the record. */
  state: string;
  target: TransferTarget;
  stage?: Stage | undefined;
  largestRead: number;
  /** Milliseconds between checkpoints. */
  interval: number;
  /** How many steps it lives: writes, checkpoints and records. */
  steps?: number | undefined;
  /** It dies with the first checkpoint that has got as far on the disk, in bytes. */
  position?: number | undefined;
}

// As the importer does.
keepGarbageSmall();
const request = JSON.parse(process.argv[2] ?? '') as DiskImportRequest;
const { url, path, state, target, stage, largestRead, interval } = request;
const { steps: lifetime = Infinity, position: furthest = Infinity } = request;
let lived = 0;
let saved = Promise.withResolvers<void>();
const step = (): void => {
  lived += 1;
  if (lived >= lifetime) kill(pid, 'SIGKILL');
};

class DeadlyStore extends FileCheckpointStore {
  override async save(text: string): Promise<void> {
    step();
    await super.save(text);
    step();
    if ((parseCheckpoint(text)?.position ?? 0) >= furthest) kill(pid, 'SIGKILL');
    saved.resolve();
  }

  override async remove(): Promise<void> {
    step();
    await super.remove();
    step();
  }
}

const told: string[] = [];
const progress = new Progress((message) => told.push(message));
const sink = createSink(target, { diskImage: path, blockDevice: path }, progress, {
  keepsDiskSize: stage?.isFinal === false,
});
const write = sink.write.bind(sink);
/** The import is not to end before the checkpoint that it dies with: so many writes may be ahead of the last one. */
const LEAD = 8;
let ahead = 0;
sink.write = async (extent: Extent): Promise<void> => {
  step();
  ahead += 1;
  if (ahead > LEAD && furthest < Infinity) {
    await saved.promise;
    saved = Promise.withResolvers();
    ahead = 0;
  }
  await write(extent);
};
const isFile = target.volumeMode === 'Filesystem';
await importDisk({
  disk: await RangedDisk.open(url, largestRead),
  sink,
  progress,
  stage,
  checkpoints: { store: new DeadlyStore(`${state}.checkpoint`), interval },
  stages: isFile ? new DeadlyStore(`${state}.stage`) : undefined,
});
console.log(JSON.stringify({ steps: told, ...progress.snapshot() }));
