import { statfs } from 'node:fs/promises';
import type { ByteReader, ByteStream } from '../base/bytes.ts';
import { TransferError } from '../base/errors.ts';
import { FedProgram } from '../base/fed-program.ts';
import { formatBytes } from '../base/format-bytes.ts';
import { LOST_AND_FOUND } from '../base/lost-and-found.ts';
import { saysNoSpace } from '../base/no-space.ts';
import { ArchiveBudget, archiveLimits } from '../image/archive/archive-budget.ts';
import { isTarHeader } from '../image/archive/tar-reader.ts';

const BLOCK = 512;

/**
 * The root of a volume, and what mkfs put there, belong to whoever made its file system: their times and modes cannot
 * be set to those of an archive of a whole folder.
 */
const notOurs = [
  '--anchored',
  ...['--no-recursion', '--exclude=.', '--exclude=./.', '--exclude=/', '--exclude=/.'],
  ...['--recursion', `--exclude=${LOST_AND_FOUND}`, `--exclude=./${LOST_AND_FOUND}`],
];

/** Messages of tar after which it continues. */
const WARNING =
  /Ignoring unknown extended header|Removing leading|time stamp|A lone zero block|Exiting with failure status/;

export interface UnpackOptions {
  signal?: AbortSignal | undefined;
  /**
   * Most bytes of the decompressed archive; by default what its volume can hold, plus the limit for what may be
   * skipped.
   */
  longest?: number;
}

/**
 * Unpacks a tar stream into a folder. GNU tar strips leading slashes, refuses paths with "..", and creates symbolic
 * links last, so that nothing is written through them; the caller owns the files. Modes and times are kept, except
 * those of the folder itself.
 *
 * @throws TransferError NotAnImage, TruncatedImage, InvalidImage, NoSpace; UnsupportedImage where the archive is longer
 * than what it can fill; the signal's reason
 */
export async function unpackTar(
  reader: ByteReader,
  directory: string,
  location: string,
  { signal, longest }: UnpackOptions = {},
): Promise<void> {
  if (!isTarHeader(await reader.peek(BLOCK))) {
    throw new TransferError('NotAnImage', `${location} is not a tar archive, which contentType archive asks for`);
  }
  const { blocks, bsize } = await statfs(directory);
  const fitting = blocks * bsize + archiveLimits.skippedBytes;
  const input = whole(reader, { longest: longest ?? fitting, location, budget: new ArchiveBudget({ signal }) });
  const options = ['--no-same-owner', '--same-permissions', '--delay-directory-restore', ...notOurs];
  const tar = new FedProgram('tar', ['--extract', '--file=-', `--directory=${directory}`, ...options], input);
  try {
    tar.output.resume();
    await tar.finish((stderr) => explain(stderr, location));
  } finally {
    tar.stop();
  }
}

/**
 * Passes on the rest of the archive within a limit. Members that tar skips, or overwrites, do not fill the volume, so
 * that its size alone would not end them.
 */
async function* whole(
  reader: ByteReader,
  { longest, location, budget }: { longest: number; location: string; budget: ArchiveBudget },
): ByteStream {
  let length = 0;
  for await (const chunk of reader.rest()) {
    await budget.pause();
    length += chunk.length;
    if (length > longest) {
      throw new TransferError(
        'UnsupportedImage',
        `the tar archive ${location} has more than ${formatBytes(longest)}, which is more than its volume can hold: use a larger one`,
      );
    }
    yield chunk;
  }
}

function explain(stderr: string, location: string): TransferError {
  if (saysNoSpace(stderr) || /Wrote only \d+ of \d+ bytes/.test(stderr)) {
    return new TransferError('NoSpace', `no space left while unpacking ${location}: use a larger volume`);
  }
  if (/unexpected EOF/i.test(stderr)) {
    return new TransferError('TruncatedImage', `the tar archive ${location} ends too early: it is incomplete`);
  }
  const lines = stderr.split('\n');
  const reason = lines.find((line) => !WARNING.test(line)) ?? lines[0] ?? '';
  return new TransferError('InvalidImage', `the tar archive ${location} cannot be unpacked: ${reason}`);
}
