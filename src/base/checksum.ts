import { createHash } from 'node:crypto';
import type { ByteStream } from './bytes.ts';
import { TransferError } from './errors.ts';

const digestLengths = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

export interface Checksum {
  algorithm: keyof typeof digestLengths;
  /** The digest in lower-case hexadecimal. */
  hex: string;
}

/**
 * Parses a checksum.
 *
 * @throws TransferError InvalidRequest for anything but `md5|sha1|sha256|sha512:hex` of the right length
 */
export function parseChecksum(text: string): Checksum {
  const [algorithm = '', hex = '', ...more] = text.trim().toLowerCase().split(':');
  if (
    !isAlgorithm(algorithm) ||
    more.length > 0 ||
    !/^[0-9a-f]+$/.test(hex) ||
    hex.length !== digestLengths[algorithm]
  ) {
    throw new TransferError(
      'InvalidRequest',
      'the checksum should be md5, sha1, sha256 or sha512, a colon, and the digest in hexadecimal',
    );
  }
  return { algorithm, hex };
}

function isAlgorithm(name: string): name is Checksum['algorithm'] {
  return Object.hasOwn(digestLengths, name);
}

/**
 * Passes a stream on and compares its digest at the end.
 *
 * @param location the stream's origin, for messages
 * @param encoding the content coding of the bytes, for messages
 * @throws TransferError ChecksumMismatch, in place of the stream's end
 */
export async function* verified(
  input: ByteStream,
  checksum: Checksum,
  location: string,
  encoding?: string,
): ByteStream {
  const hash = createHash(checksum.algorithm);
  for await (const chunk of input) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest('hex');
  if (actual !== checksum.hex) {
    throw new TransferError(
      'ChecksumMismatch',
      `the ${checksum.algorithm} of ${location} is ${actual}, and ${checksum.hex} was expected: ` +
        `the file is another or damaged${encoding === undefined ? '' : encodingAdvice(encoding)}`,
    );
  }
}

function encodingAdvice(encoding: string): string {
  return `, or the checksum is of what is in it: it is sent with Content-Encoding ${encoding}, and the checksum has to be of the bytes as they are sent`;
}
