import type { ByteReader } from '../../base/bytes.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { RangeReader } from '../../base/source.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { ImageDetails } from './image-details.ts';
import type { MappedImage, ReadHead } from './mapped/image.ts';
import type { Signature } from './signature.ts';

/** What there is of an image to be described. */
export interface DescribedImage {
  /** The image's first HEAD_LENGTH bytes, or all there are; its footer where only that told the format. */
  readonly head: Buffer;
  /** Of the image in bytes, where it is known. */
  readonly size: number | undefined;
  /** For formats whose details are further behind, where there is random access. */
  readonly ranges: RangeReader | undefined;
}

/** The end by which an image of a format is told from a raw disk, which it otherwise looks like. */
export interface DiskFooter {
  /**
   * Finds the footer in an object's end.
   *
   * @param end the last END_LENGTH bytes, or all there are
   * @param total bytes of the object
   * @returns what stands for the head in {@link DiskFormatDriver.describe}; undefined where the object has no such footer
   * @throws TransferError TruncatedImage, InvalidImage where the footer is of another object
   */
  find(end: Buffer, total: number): Buffer | undefined;
  /**
   * Leaves the footer out of a disk that is decoded as a raw one, and names the format, where there is such a footer.
   *
   * @param size of the object in bytes, where it is known beforehand
   */
  leaveOut(raw: DecodedDisk, size: number | undefined): DecodedDisk;
}

/** The check of an image that qemu-img is about to open. */
export interface SelfContainedCheck {
  /** Bytes of the image's start that are checked, at most. */
  readonly length: number;
  /**
   * Refuses an image that would make qemu-img open other files. Everything else is qemu-img's own business.
   *
   * @param head the first `length` bytes of the image, or all there are
   * @throws TransferError UnsupportedImage, InvalidImage, TruncatedImage
   */
  check(head: Buffer): void;
}

/**
 * A format of disk images. Whatever is done in another way for one format than for another is declared here; shared code asks, and
 * never looks at the name.
 */
export interface DiskFormatDriver<Name extends string = string> {
  /** As people are told it, as they may state it, and as checkpoints keep it. */
  readonly name: Name;
  /** As qemu-img calls it. */
  readonly qemuName: string;
  /** What its images begin with; undefined where nothing tells them. Where several formats' fit, the longest one counts. */
  readonly signature: Signature | undefined;
  readonly footer?: DiskFooter;
  /**
   * Reads the header of an image that can be read at random. Undefined where the format has none that is read here: unless there is
   * {@link decode}, qemu-img converts its images.
   *
   * @throws TransferError for images that are invalid, incomplete or need other files
   * @throws RandomAccessNeeded where qemu-img has to convert the image
   */
  readonly open: ((readHead: ReadHead) => Promise<MappedImage>) | undefined;
  /**
   * Decodes an image in order, where that is more than decoding what {@link open} returns.
   *
   * @throws as {@link open}; RandomAccessNeeded, also among the extents, where this image cannot be read in order
   */
  readonly decode?: (reader: ByteReader, options: DecodeOptions) => Promise<DecodedDisk>;
  /**
   * Tells what an image's header says, whether or not it is an image that can be imported.
   *
   * @throws TransferError InvalidImage, UnsupportedImage, TruncatedImage; what the ranges throw
   */
  readonly describe: (image: DescribedImage) => ImageDetails | Promise<ImageDetails>;
  /** Undefined where nothing in an image can make qemu-img open other files. */
  readonly selfContained: SelfContainedCheck | undefined;
}
