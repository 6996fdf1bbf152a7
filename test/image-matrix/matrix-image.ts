/** An image of a disk, as qemu makes it. */
export interface MatrixImage {
  name: string;
  /** As qemu calls it. */
  format: string;
  /** Whether a decoder can do with a stream; undefined where that is left to it. */
  streams?: boolean;
  /** Writes the image, using other files of the folder as it likes. */
  make(folder: string, path: string): Promise<void>;
}
