import { spawn } from 'node:child_process';
import { abandonStream, type ByteStream } from '../bytes.ts';
import { TransferError, systemCode } from '../errors.ts';
import { killGroup, programMissing } from '../programs.ts';
import { Feeder } from './feeder.ts';

const MOST_STDERR = 4096;

const programs = {
  // What a hostile file may make it allocate is limited; blocks that need more are decoded by one thread, or refused.
  xz: ['--decompress', '--stdout', '--threads=0', '--memlimit-mt-decompress=96MiB', '--memlimit-decompress=128MiB'],
  bzip2: ['--decompress', '--stdout'],
};

/** Decompresses xz or bzip2 by the program of that name. */
export async function* decompressWithProgram(kind: keyof typeof programs, input: ByteStream): ByteStream {
  const child = spawn(kind, programs[kind], { detached: true, stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MOST_STDERR);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // It is awaited only once the output has ended.
  ended.catch(() => {});
  const feeder = new Feeder(child.stdin);
  let inputFailure: unknown;
  const feeding = feeder.feed(input).catch((error: unknown) => {
    inputFailure = error;
    killGroup(child.pid);
  });
  let finished = false;
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const exitCode = await ended;
    finished = true;
    await feeding;
    if (inputFailure !== undefined) throw inputFailure as Error;
    if (exitCode !== 0) throw programFailure(kind, stderr.trim());
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? programMissing(kind) : error;
  } finally {
    feeder.abandon();
    if (!finished) killGroup(child.pid);
    abandonStream(input);
  }
}

function programFailure(kind: string, stderr: string): TransferError {
  if (/unexpected end of (input|file)|file ends unexpectedly/i.test(stderr)) {
    return new TransferError('TruncatedImage', `the ${kind} data ends too early: the file is incomplete`);
  }
  if (/memory/i.test(stderr)) {
    return new TransferError('UnsupportedImage', `decompressing this ${kind} data takes more memory than allowed`);
  }
  return new TransferError('InvalidImage', `the ${kind} data is damaged`);
}
