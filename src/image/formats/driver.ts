import type { ByteReader } from '../../base/bytes.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { RangeReader } from '../../base/source.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { ImageDetails } from './image-details.ts';
import type { MappedImage, ReadHead } from './mapped/image.ts';
import type { Signature } from './signature.ts';

/** The parts of an image from which it is described. */
export interface DescribedImage {
  /** The first HEAD_LENGTH bytes of the image, or all there are; its footer where only that showed the format. */
  readonly head: Buffer;
  /** Size of the image in bytes, where known. */
  readonly size: number | undefined;
  /** Random access, where available, for formats with details elsewhere in the image. */
  readonly ranges: RangeReader | undefined;
}

/** The footer by which an image of a format differs from a raw disk. */
export interface DiskFooter {
  /**
   * Finds the footer at the end of an object.
   *
   * @param end the last END_LENGTH bytes, or all there are
   * @param total size of the object in bytes
   * @returns what replaces the head in {@link DiskFormatDriver.describe}; undefined where the object has no such footer
   * @throws TransferError TruncatedImage, InvalidImage where the footer belongs to another object
   */
  find(end: Buffer, total: number): Buffer | undefined;
  /**
   * Removes the footer, where there is one, from a disk that is decoded as a raw one, and names the format.
   *
   * @param size of the object in bytes, where it is known beforehand
   */
  leaveOut(raw: DecodedDisk, size: number | undefined): DecodedDisk;
}

/** The check of an image before qemu-img opens it. */
export interface SelfContainedCheck {
  /** Number of bytes at the start of the image that are checked, at most. */
  readonly length: number;
  /**
   * Refuses an image that would make qemu-img open other files. Everything else is left to qemu-img.
   *
   * @param head the first `length` bytes of the image, or all there are
   * @throws TransferError UnsupportedImage, InvalidImage, TruncatedImage
   */
  check(head: Buffer): void;
}

/**
 * A format of disk images. Every difference between formats is declared here; shared code asks the driver, and never
 * branches on the name.
 */
export interface DiskFormatDriver<Name extends string = string> {
  /** The name in messages, in options, and in checkpoints. */
  readonly name: Name;
  /** The name that qemu-img uses. */
  readonly qemuName: string;
  /**
   * What images of the format begin with; undefined where there is no signature. Where several formats match, the
   * longest signature wins.
   */
  readonly signature: Signature | undefined;
  readonly footer?: DiskFooter;
  /**
   * Reads the header of an image with random access. Undefined where the format has no header that is read here:
   * without {@link decode}, its images are then converted by qemu-img.
   *
   * @throws TransferError for images that are invalid, incomplete or need other files
   * @throws RandomAccessNeeded where qemu-img has to convert the image
   */
  readonly open: ((readHead: ReadHead) => Promise<MappedImage>) | undefined;
  /**
   * Decodes an image in order, where that is more than decoding the result of {@link open}.
   *
   * @throws as {@link open}; RandomAccessNeeded, also among the extents, where this image cannot be read in order
   */
  readonly decode?: (reader: ByteReader, options: DecodeOptions) => Promise<DecodedDisk>;
  /**
   * Describes the header of an image, whether or not it can be imported.
   *
   * @throws TransferError InvalidImage, UnsupportedImage, TruncatedImage; errors of the ranges
   */
  readonly describe: (image: DescribedImage) => ImageDetails | Promise<ImageDetails>;
  /** Undefined where nothing in an image can make qemu-img open other files. */
  readonly selfContained: SelfContainedCheck | undefined;
}
