import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteReader } from '../../base/bytes.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { Progress } from '../../base/progress.ts';
import type { OpenedSource, RangeReader, Source } from '../../base/source.ts';
import { MemberJudge } from '../../image/unwrap/member-judge.ts';
import { diskMissing, foldersOfBootable } from '../registry/bootable-image.ts';
import { labelsFromEnvironment } from '../registry/kubevirt-labels.ts';
import { FileSource } from './file-source.ts';

const SECTOR = 512;
/** Most files among which the disk is chosen; most images have one. */
const MOST_FILES = 1000;

export interface ContainerDiskOptions {
  /** The folder that is the root of the image. */
  root: string;
  /** The environment of the image, as `NAME=value`. */
  environment: string[];
  /** The name of the image. */
  location: string;
}

/** The disk of a container image that is already unpacked: the file below /disk/. */
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
    let link: string | undefined;
    try {
      const found: Files = { files: [], link: undefined };
      await collect(join(this.#root, 'disk'), found);
      link = found.link;
      const path = await this.#choose(found.files);
      if (path !== undefined) return (this.#disk = new FileSource(path, this.#progress, this.#locationOf(path)));
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
      diskMissing(this.location, await this.#isBootable()) +
        (link === undefined
          ? ''
          : `: ${this.#pathIn(link)} is a symbolic link, which is not followed: have the file itself there`),
    );
  }

  /** The labels of the image are not known here, but its folders are. */
  async #isBootable(): Promise<boolean> {
    const found = foldersOfBootable.map((folder) => lstat(join(this.#root, folder)).catch(() => undefined));
    return (await Promise.all(found)).some((status) => status !== undefined);
  }

  /** Chooses the first file that certainly is a disk; otherwise the first that may be one, or any file. */
  async #choose(paths: readonly string[]): Promise<string | undefined> {
    const judge = new MemberJudge(this.location);
    let chosen: { path: string; isPossible: boolean } | undefined;
    for (const path of paths) {
      // What is read here will be read again, and is not progress.
      const looked = new FileSource(path, new Progress(), this.#locationOf(path));
      const { bytes, size = 0 } = await looked.open();
      const reader = new ByteReader(bytes);
      const likeness = await judge.judge(reader, Math.ceil(size / SECTOR) * SECTOR);
      await reader.close();
      await looked.close();
      if (likeness === 'disk') return path;
      const isPossible = likeness === 'possible';
      if (chosen === undefined || (isPossible && !chosen.isPossible)) chosen = { path, isPossible };
    }
    return chosen?.path;
  }

  #locationOf(path: string): string {
    return `${this.location}${this.#pathIn(path)}`;
  }

  #pathIn(path: string): string {
    return path.slice(this.#root.length);
  }
}

interface Files {
  files: string[];
  /** The first symbolic link. */
  link: string | undefined;
}

/** Collects files. Links are not followed, because they would lead out of the image from here. */
async function collect(path: string, found: Files): Promise<void> {
  const status = await lstat(path);
  if (status.isFile()) found.files.push(path);
  if (status.isSymbolicLink()) found.link ??= path;
  if (found.files.length > MOST_FILES || !status.isDirectory()) return;
  for (const name of (await readdir(path)).sort()) await collect(join(path, name), found);
}
