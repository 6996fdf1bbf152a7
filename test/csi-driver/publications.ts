import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writeJson } from './json-file.ts';
import { releaseLoopDevice } from './loop-devices.ts';
import { mountAt, unmount } from './mounts.ts';
import { type PublicationRecord, publicationRecord } from './records.ts';

/**
 * Which volumes are at which target paths. A record is written before the mount and removed after it, so that a
 * killed driver leaves nothing that the next one cannot find.
 */
export class Publications {
  readonly #directory: string;
  readonly #nodeId: string;

  /** @param directory has a folder for each node that shares the pool */
  constructor(directory: string, nodeId: string) {
    this.#directory = directory;
    this.#nodeId = nodeId;
  }

  /** Makes this node's folder, and forgets what is no longer mounted because the node went away under it. */
  async open(): Promise<void> {
    const own = join(this.#directory, this.#nodeId);
    await mkdir(own, { recursive: true, mode: 0o700 });
    for (const record of await this.#read(own, '')) {
      if (!(await mountAt(record.targetPath))) {
        await this.#forget(record);
      }
    }
  }

  /** What of the volume is mounted on this node. */
  async ofVolume(volumeId: string): Promise<PublicationRecord[]> {
    const records = await this.#read(join(this.#directory, this.#nodeId), volumeId);
    const mounts = await Promise.all(records.map((record) => mountAt(record.targetPath)));
    return records.filter((_, index) => mounts[index]);
  }

  /** Whether the volume is published on any node; of other nodes the records are believed. */
  async isPublished(volumeId: string): Promise<boolean> {
    if ((await this.ofVolume(volumeId)).length > 0) {
      return true;
    }
    const others = (await readdir(this.#directory)).filter((node) => node !== this.#nodeId);
    const records = await Promise.all(others.map((node) => this.#read(join(this.#directory, node), volumeId)));
    return records.flat().length > 0;
  }

  async add(record: PublicationRecord): Promise<void> {
    await writeJson(this.#path(record.volumeId, record.targetPath), record);
  }

  /** Unmounts the target, removes it, and forgets it; where nothing is, nothing happens. */
  async remove(volumeId: string, targetPath: string): Promise<void> {
    while (await mountAt(targetPath)) {
      await unmount(targetPath);
    }
    await removeTarget(targetPath);
    const record = await readJson(this.#path(volumeId, targetPath), publicationRecord);
    if (record) {
      await this.#forget(record);
    }
  }

  async #forget({ volumeId, targetPath, loop }: PublicationRecord): Promise<void> {
    if (loop) {
      await releaseLoopDevice(loop.holder, loop.device);
    }
    await rm(this.#path(volumeId, targetPath));
  }

  async #read(folder: string, volumeId: string): Promise<PublicationRecord[]> {
    const prefix = volumeId === '' ? '' : filePrefix(volumeId);
    const files = (await readdir(folder)).filter((file) => file.startsWith(prefix) && file.endsWith('.json'));
    const records = await Promise.all(files.map((file) => readJson(join(folder, file), publicationRecord)));
    return records.filter((record) => record !== undefined);
  }

  #path(volumeId: string, targetPath: string): string {
    const target = createHash('sha256').update(targetPath).digest('hex');
    return join(this.#directory, this.#nodeId, `${filePrefix(volumeId)}${target}.json`);
  }
}

function filePrefix(volumeId: string): string {
  return `${encodeURIComponent(volumeId)}@`;
}

/** Removes the empty folder or the file that was the mount point; never what is in it. */
async function removeTarget(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  });
  if (found?.isDirectory()) {
    await rmdir(path);
  } else if (found) {
    await rm(path);
  }
}
