import { ArchiveBudget, archiveLimits } from '../archive/archive-budget.ts';
import type { TarEntry } from '../archive/tar-reader.ts';
import { TransferError } from '../errors.ts';

const FOLDER = 'disk/';
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** How many names below /disk/ are remembered of an image's layers; most images have one. */
const MOST_NAMES = 100_000;
/** Of all of these names together, in characters, which take a byte or two each. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
/** Below /disk/. */
const DEEPEST_FOLDER = 32;

/**
 * Finds the disk of a container disk: the file below /disk/. Layers are looked through from the uppermost down, each
 * hiding in those below what its whiteouts name (OCI image specification, layer.md).
 */
export class DiskFinder {
  /** Of all layers together. */
  readonly #budget: ArchiveBudget;
  readonly #hidden = new Set<string>();
  #hiddenByThisLayer = new Set<string>();
  #characters = 0;
  #allHidden = false;
  #allHiddenByThisLayer = false;

  constructor(limits = archiveLimits) {
    this.#budget = new ArchiveBudget({ limits });
  }

  /** To be called between one layer and the next below it. */
  descend(): void {
    for (const path of this.#hiddenByThisLayer) this.#hidden.add(path);
    this.#hiddenByThisLayer = new Set();
    this.#allHidden ||= this.#allHiddenByThisLayer;
  }

  /**
   * Whether this is the disk.
   *
   * @throws TransferError UnsupportedImage where the layers hold too much else
   */
  accept({ path, type, stored }: TarEntry): boolean {
    this.#budget.countMember();
    const name = path.replace(/^(\.?\/)+/, '');
    const isDisk = name.startsWith(FOLDER) ? this.#acceptBelow(name, type) : this.#noteOther(name);
    if (!isDisk) this.#budget.countSkipped(stored);
    return isDisk;
  }

  #noteOther(name: string): false {
    if (name === `${WHITEOUT}disk` || name === OPAQUE) this.#allHiddenByThisLayer = true;
    return false;
  }

  #acceptBelow(name: string, type: TarEntry['type']): boolean {
    if (name === `${FOLDER}${OPAQUE}`) {
      this.#allHiddenByThisLayer = true;
      return false;
    }
    const slash = name.lastIndexOf('/') + 1;
    const base = name.slice(slash);
    if (base.startsWith(WHITEOUT)) {
      this.#remember(name.slice(0, slash) + base.slice(WHITEOUT.length));
      return false;
    }
    // Whatever a layer has under a name hides what the layers below have there.
    this.#remember(name);
    return type === 'file' && !this.#allHidden && !this.#isHidden(name);
  }

  #remember(name: string): void {
    if (name.split('/', DEEPEST_FOLDER + 3).length > DEEPEST_FOLDER + 2) {
      throw tooMuch(`folders in folders below /disk/ that are more than ${DEEPEST_FOLDER} deep`);
    }
    if (this.#hiddenByThisLayer.has(name)) return;
    this.#characters += name.length;
    if (this.#hidden.size + this.#hiddenByThisLayer.size >= MOST_NAMES) {
      throw tooMuch(`more than ${MOST_NAMES} files below /disk/`);
    }
    if (this.#characters > MOST_CHARACTERS) {
      throw tooMuch(`names below /disk/ of more than ${MOST_CHARACTERS} characters together`);
    }
    this.#hiddenByThisLayer.add(name);
  }

  #isHidden(name: string): boolean {
    for (let path = name; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      if (this.#hidden.has(path)) return true;
    }
    return false;
  }
}

function tooMuch(what: string): TransferError {
  return new TransferError('UnsupportedImage', `the image has ${what}: build it with nothing but its disk there`);
}
