import type { TarEntry } from '../archive/tar-reader.ts';

const FOLDER = 'disk/';
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Finds the disk of a container disk: the file below /disk/. Layers are looked through from the uppermost down, each
 * hiding in those below what its whiteouts name (OCI image specification, layer.md).
 */
export class DiskFinder {
  readonly #hidden = new Set<string>();
  #hiddenByThisLayer = new Set<string>();
  #allHidden = false;
  #allHiddenByThisLayer = false;

  /** To be called between one layer and the next below it. */
  descend(): void {
    for (const path of this.#hiddenByThisLayer) this.#hidden.add(path);
    this.#hiddenByThisLayer = new Set();
    this.#allHidden ||= this.#allHiddenByThisLayer;
  }

  /** Whether this is the disk. */
  accept({ path, type }: TarEntry): boolean {
    const name = path.replace(/^(\.?\/)+/, '');
    if (name === `${WHITEOUT}disk` || name === `${FOLDER}${OPAQUE}` || name === OPAQUE) {
      this.#allHiddenByThisLayer = true;
      return false;
    }
    if (!name.startsWith(FOLDER)) return false;
    const slash = name.lastIndexOf('/') + 1;
    const base = name.slice(slash);
    if (base.startsWith(WHITEOUT)) {
      this.#hiddenByThisLayer.add(name.slice(0, slash) + base.slice(WHITEOUT.length));
      return false;
    }
    // Whatever a layer has under a name hides what the layers below have there.
    this.#hiddenByThisLayer.add(name);
    return type === 'file' && !this.#allHidden && !this.#isHidden(name);
  }

  #isHidden(name: string): boolean {
    for (let path = name; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      if (this.#hidden.has(path)) return true;
    }
    return false;
  }
}
