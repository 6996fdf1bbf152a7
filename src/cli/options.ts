import { InvalidArgumentError } from 'commander';
import { type Checksum, parseChecksum } from '../base/checksum.ts';

/** Parses the value of `--sha256`. */
export function parseSha256(hex: string): Checksum {
  try {
    return parseChecksum(`sha256:${hex}`);
  } catch {
    throw new InvalidArgumentError('It should be 64 hexadecimal digits.');
  }
}
