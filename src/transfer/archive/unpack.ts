import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteReader } from '../bytes.ts';
import { TransferError } from '../errors.ts';
import { FedProgram } from '../fed-program.ts';
import { isTarHeader } from './tar-reader.ts';

const BLOCK = 512;

/**
 * Unpacks a tar stream into a folder. GNU tar strips leading slashes, refuses paths with "..", and makes symbolic links
 * last, so that nothing is written through them; owners become whoever unpacks.
 *
 * @throws TransferError NotAnImage, TruncatedImage, InvalidImage, NoSpace
 */
export async function unpackTar(reader: ByteReader, directory: string, location: string): Promise<void> {
  if (!isTarHeader(await reader.peek(BLOCK))) {
    throw new TransferError('NotAnImage', `${location} is no tar archive, which contentType archive asks for`);
  }
  const options = ['--no-same-owner', '--delay-directory-restore'];
  const tar = new FedProgram('tar', ['--extract', '--file=-', `--directory=${directory}`, ...options], reader.rest());
  try {
    tar.output.resume();
    await tar.finish((stderr) => explain(stderr, location));
  } finally {
    tar.stop();
  }
}

/** Removes everything from a folder but what its file system put there. */
export async function emptyDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name !== 'lost+found') await rm(join(directory, name), { recursive: true, force: true });
  }
}

function explain(stderr: string, location: string): TransferError {
  if (stderr.includes('No space left on device')) {
    return new TransferError('NoSpace', `no space left while unpacking ${location}: use a larger volume`);
  }
  if (/unexpected EOF/i.test(stderr)) {
    return new TransferError('TruncatedImage', `the tar archive ${location} ends too early: it is incomplete`);
  }
  const reason = stderr.split('\n')[0] ?? '';
  return new TransferError('InvalidImage', `the tar archive ${location} cannot be unpacked: ${reason}`);
}
