import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { systemCode, TransferError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { BlockSink } from '../sink/block-sink.ts';
import type { DiskTarget } from '../sink/disk-target.ts';
import { FileSink } from '../sink/file-sink.ts';
import { asTargetError } from '../sink/target-errors.ts';
import { FileCheckpointStore } from '../transfer/checkpoint/file-store.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';

export interface Target {
  sink: DiskTarget;
  /** The checkpoints are stored beside a file, or in the state directory for a device, which has no room beside it. */
  checkpoints: CheckpointStore;
  /** Where the transfer that is open at another system is kept, in the same way. */
  openTransfers: CheckpointStore;
}

/**
 * Creates the target at a path: a block device, or a file that may not exist yet.
 *
 * @param path absolute
 */
export async function createTarget(path: string, preallocation: boolean, progress: Progress): Promise<Target> {
  const found = await statOf(path);
  if (found !== undefined && !found.isFile() && !found.isBlockDevice()) {
    const kind = found.isDirectory() ? 'a folder: name a file in it' : 'neither a file nor a block device';
    throw new TransferError('TargetNotWritable', `${path} is ${kind}`);
  }
  const isDevice = found?.isBlockDevice() === true;
  const name = isDevice ? join(stateDirectory(), `${path.slice(1).replaceAll('/', '-')}.`) : `${path}.diskpress-`;
  return {
    sink: isDevice ? new BlockSink({ path, preallocation }, progress) : new FileSink({ path, preallocation }, progress),
    checkpoints: new FileCheckpointStore(`${name}checkpoint`),
    openTransfers: new FileCheckpointStore(`${name}transfer`),
  };
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw asTargetError(error, path);
  }
}

/** Returns the state directory of the XDG base directory specification. */
function stateDirectory(): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'diskpress');
}
