import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { abandonStream, type ByteReader } from '../bytes.ts';
import { Feeder } from '../decompress/feeder.ts';
import { TransferError, systemCode } from '../errors.ts';
import { killGroup, programMissing } from '../programs.ts';
import { isTarHeader } from './tar-reader.ts';

const BLOCK = 512;
const MOST_STDERR = 4096;

/**
 * Unpacks a tar stream into a folder. GNU tar strips leading slashes, refuses paths with "..", and makes symbolic links
 * last, so that nothing is written through them; owners become whoever unpacks.
 *
 * @throws TransferError NotAnImage, TruncatedImage, InvalidImage, NoSpace
 */
export async function unpackTar(reader: ByteReader, directory: string, location: string): Promise<void> {
  const first = await reader.peek(BLOCK);
  if (!isTarHeader(first)) {
    throw new TransferError('NotAnImage', `${location} is no tar archive, which contentType archive asks for`);
  }
  const parameters = [
    '--extract',
    '--file=-',
    `--directory=${directory}`,
    '--no-same-owner',
    '--delay-directory-restore',
  ];
  const child = spawn('tar', parameters, {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MOST_STDERR);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const input = reader.rest();
  try {
    const [exitCode] = await Promise.all([ended, new Feeder(child.stdin).feed(input)]);
    if (exitCode !== 0) throw unpackFailure(stderr, location);
  } catch (error) {
    killGroup(child.pid);
    throw systemCode(error) === 'ENOENT' ? programMissing('tar') : error;
  } finally {
    abandonStream(input);
  }
}

/** Removes everything from a folder but what its file system put there. */
export async function emptyDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name !== 'lost+found') await rm(join(directory, name), { recursive: true, force: true });
  }
}

function unpackFailure(stderr: string, location: string): TransferError {
  if (stderr.includes('No space left on device')) {
    return new TransferError('NoSpace', `no space left while unpacking ${location}: use a larger volume`);
  }
  if (/unexpected EOF/i.test(stderr)) {
    return new TransferError('TruncatedImage', `the tar archive ${location} ends too early: it is incomplete`);
  }
  const reason = stderr.trim().split('\n')[0] ?? '';
  return new TransferError('InvalidImage', `the tar archive ${location} cannot be unpacked: ${reason}`);
}
