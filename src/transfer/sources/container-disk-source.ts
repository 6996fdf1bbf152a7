import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TransferError, systemCode } from '../errors.ts';
import type { Progress } from '../progress.ts';
import { labelsFromEnvironment } from '../registry/kubevirt-labels.ts';
import type { OpenedSource, RangeReader, Source } from '../source.ts';
import { FileSource } from './file-source.ts';

export interface ContainerDiskOptions {
  /** The folder that is the image's root. */
  root: string;
  /** The image's environment, `NAME=value`. */
  environment: string[];
  /** The image's name. */
  location: string;
}

/** The disk in a container image that is unpacked already: the file below /disk/. */
export class ContainerDiskSource implements Source {
  readonly location: string;
  readonly labels: Record<string, string>;
  readonly #root: string;
  readonly #progress: Progress;
  #disk: FileSource | undefined;

  constructor({ root, environment, location }: ContainerDiskOptions, progress: Progress) {
    this.location = location;
    this.labels = labelsFromEnvironment(environment);
    this.#root = root;
    this.#progress = progress;
  }

  async open(): Promise<OpenedSource> {
    return (await this.#find()).open();
  }

  async openRanges(): Promise<RangeReader> {
    return (await this.#find()).openRanges();
  }

  async close(): Promise<void> {
    await this.#disk?.close();
  }

  async #find(): Promise<FileSource> {
    if (this.#disk !== undefined) return this.#disk;
    try {
      const path = await firstFile(join(this.#root, 'disk'));
      if (path !== undefined) {
        this.#disk = new FileSource(path, this.#progress, `${this.location}${path.slice(this.#root.length)}`);
        return this.#disk;
      }
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT') {
        throw new TransferError('SourceNotReadable', `the folder /disk of ${this.location} cannot be read (${code})`, {
          cause: error,
        });
      }
    }
    throw new TransferError(
      'DiskNotFound',
      `${this.location} has no file below /disk/, where a container disk keeps its image`,
    );
  }
}

/** Links are not followed: from here they would lead out of the image. */
async function firstFile(path: string): Promise<string | undefined> {
  const status = await lstat(path);
  if (status.isFile()) return path;
  if (!status.isDirectory()) return undefined;
  for (const name of (await readdir(path)).sort()) {
    const found = await firstFile(join(path, name));
    if (found !== undefined) return found;
  }
  return undefined;
}
