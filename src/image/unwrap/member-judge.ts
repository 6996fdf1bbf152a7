import type { ByteReader } from '../../base/bytes.ts';
import { recogniseCompression } from '../../codec/decompress/compression.ts';
import { TransferError } from '../../base/errors.ts';
import { HEAD_LENGTH } from '../formats/recognise.ts';
import { compressedHead, COMPRESSED_HEAD_LENGTH } from './compressed-head.ts';
import { likenessOf, type Likeness } from './disk-likeness.ts';

/** To look into one takes milliseconds. */
const MOST_COMPRESSED = 1000;

/** Tells which members of an archive are disk images, by what they begin with. */
export class MemberJudge {
  readonly #location: string;
  #compressed = 0;

  /** @param location of the archive, for messages */
  constructor(location: string) {
    this.#location = location;
  }

  /**
   * Undefined for what is no disk image.
   *
   * @param reader of the member, from its first byte on; nothing of it is consumed
   * @throws TransferError UnsupportedImage where more compressed members have come than are looked into
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
