import type { DiskFormat } from '../../src/image/formats/drivers.ts';

/** An image of a disk, as qemu makes it. */
export interface MatrixImage {
  name: string;
  format: DiskFormat;
  /** Whether a decoder can do with a stream; undefined where that is left to it. */
  streams?: boolean;
  /** Writes the image, using other files of the folder as it likes. */
  make(folder: string, path: string): Promise<void>;
}
