import type { ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { recogniseCompression } from '../../codec/decompress/compression.ts';
import { HEAD_LENGTH } from '../formats/recognise.ts';
import { COMPRESSED_HEAD_LENGTH, compressedHead } from './compressed-head.ts';
import { type Likeness, likenessOf } from './disk-likeness.ts';

/** Most compressed members that are examined, which takes milliseconds for each. */
const MOST_COMPRESSED = 1000;

/** Decides which members of an archive are disk images, by how they begin. */
export class MemberJudge {
  readonly #location: string;
  #compressed = 0;

  /** @param location of the archive, for messages */
  constructor(location: string) {
    this.#location = location;
  }

  /**
   * Judges a member; undefined where it is not a disk image.
   *
   * @param reader of the member, from its first byte; nothing is consumed
   * @throws TransferError UnsupportedImage where there are too many compressed members
   */
  async judge(reader: ByteReader, size: number): Promise<Likeness | undefined> {
    const head = await reader.peek(Math.min(HEAD_LENGTH, size));
    if (recogniseCompression(head) === undefined) return likenessOf(head, size);
    this.#compressed += 1;
    if (this.#compressed > MOST_COMPRESSED) {
      throw new TransferError(
        'UnsupportedImage',
        `${this.#location} holds more than ${MOST_COMPRESSED} compressed files, and no more are looked into for a disk image: ` +
          'import the disk from a file of its own',
      );
    }
    const within = await compressedHead(Buffer.from(await reader.peek(Math.min(COMPRESSED_HEAD_LENGTH, size))));
    return likenessOf(within.head, within.size);
  }
}
