import { TransferError } from '../../base/errors.ts';
import { ArchiveBudget, archiveLimits } from '../../image/archive/archive-budget.ts';
import type { TarEntry } from '../../image/archive/tar-reader.ts';
import { isOfBootable } from './bootable-image.ts';

const FOLDER = 'disk/';
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Most names below /disk/ that are remembered of an image's layers; most images have one. */
const MOST_NAMES = 100_000;
/** Most characters of all these names together; each takes one or two bytes. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
/** Deepest folder below /disk/. */
const DEEPEST_FOLDER = 32;

/** A link below /disk/. */
export interface DiskLink {
  path: string;
  /** The target as the layer has it. */
  target: string;
}

/**
 * Finds the disk of a container disk: the file below /disk/. Layers are searched from the uppermost down. Each hides in
 * those below what its whiteouts name, and what it has itself (OCI image specification, layer.md).
 */
export class DiskFinder {
  /** The budget of all layers together. */
  readonly #budget: ArchiveBudget;
  /** What upper layers hide: a name with everything below it or, where they have a folder of that name, only a file. */
  readonly #hidden = new Map<string, 'all' | 'file'>();
  #hiddenByThisLayer = new Map<string, 'all' | 'file'>();
  #characters = 0;
  #allHidden = false;
  #allHiddenByThisLayer = false;
  #hardLink: DiskLink | undefined;
  #symbolicLink: DiskLink | undefined;
  #isBootable = false;

  constructor(limits = archiveLimits) {
    this.#budget = new ArchiveBudget({ limits });
  }

  /** Whether the layers have a folder of a bootable container. */
  get isBootable(): boolean {
    return this.#isBootable;
  }

  /** The first hard link of this layer: the disk may be its target. */
  get hardLink(): DiskLink | undefined {
    return this.#hardLink;
  }

  /** The uppermost symbolic link; symbolic links are not followed. */
  get symbolicLink(): DiskLink | undefined {
    return this.#symbolicLink;
  }

  /** Has to be called between one layer and the next below it. */
  descend(): void {
    for (const [path, what] of this.#hiddenByThisLayer)
      if (this.#hidden.get(path) !== 'all') this.#hidden.set(path, what);
    this.#hiddenByThisLayer = new Map();
    this.#allHidden ||= this.#allHiddenByThisLayer;
    this.#hardLink = undefined;
  }

  /**
   * Whether this entry is the disk.
   *
   * @throws TransferError UnsupportedImage where the layers hold too much else
   */
  accept(entry: TarEntry): boolean {
    this.#budget.countMember();
    const name = layerPath(entry.path);
    const isDisk = name.startsWith(FOLDER) ? this.#acceptBelow(name, entry) : this.#noteOther(name, entry);
    if (!isDisk) this.pass(entry);
    return isDisk;
  }

  /** Counts an entry that turned out not to be wanted. Throws as {@link accept} does. */
  pass({ stored }: TarEntry): void {
    this.#budget.countSkipped(stored);
  }

  #noteOther(name: string, entry: TarEntry): false {
    this.#isBootable ||= isOfBootable(name);
    const isReplaced = name === 'disk' && entry.type !== 'folder';
    if (isReplaced) this.#noteLink(name, entry);
    if (isReplaced || name === `${WHITEOUT}disk` || name === OPAQUE) this.#allHiddenByThisLayer = true;
    return false;
  }

  #acceptBelow(name: string, entry: TarEntry): boolean {
    const slash = name.lastIndexOf('/') + 1;
    const folder = name.slice(0, slash);
    const base = name.slice(slash);
    if (base === OPAQUE) {
      if (name === `${FOLDER}${OPAQUE}`) this.#allHiddenByThisLayer = true;
      else this.#remember(folder.slice(0, -1), 'all');
      return false;
    }
    if (base.startsWith(WHITEOUT)) {
      this.#remember(folder + base.slice(WHITEOUT.length), 'all');
      return false;
    }
    // Any entry of a layer hides entries of that name in the layers below, except that two folders are merged.
    this.#remember(name, entry.type === 'folder' ? 'file' : 'all');
    if (this.#allHidden || this.#isHidden(name)) return false;
    this.#noteLink(name, entry);
    return entry.type === 'file';
  }

  #noteLink(path: string, { type, linkPath: target = '' }: TarEntry): void {
    if (this.#allHidden) return;
    if (type === 'hard-link') this.#hardLink ??= { path, target };
    if (type === 'symbolic-link') this.#symbolicLink ??= { path, target };
  }

  #remember(name: string, what: 'all' | 'file'): void {
    if (name.split('/', DEEPEST_FOLDER + 3).length > DEEPEST_FOLDER + 2) {
      throw tooMuch(`folders in folders below /disk/ that are more than ${DEEPEST_FOLDER} deep`);
    }
    const known = this.#hiddenByThisLayer.get(name);
    if (known === undefined) {
      this.#characters += name.length;
      if (this.#hidden.size + this.#hiddenByThisLayer.size >= MOST_NAMES) {
        throw tooMuch(`more than ${MOST_NAMES} files below /disk/`);
      }
      if (this.#characters > MOST_CHARACTERS) {
        throw tooMuch(`names below /disk/ of more than ${MOST_CHARACTERS} characters together`);
      }
    }
    if (known !== 'all') this.#hiddenByThisLayer.set(name, what);
  }

  #isHidden(name: string): boolean {
    if (this.#hidden.has(name)) return true;
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      if (this.#hidden.get(name.slice(0, end)) === 'all') return true;
    }
    return false;
  }
}

/** Normalises the path of a layer's entry, which may be spelt in several ways. */
export function layerPath(path: string): string {
  return path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
}

function tooMuch(what: string): TransferError {
  return new TransferError('UnsupportedImage', `the image has ${what}: build it with nothing but its disk there`);
}
