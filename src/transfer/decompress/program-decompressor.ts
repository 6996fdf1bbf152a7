import type { ByteStream } from '../bytes.ts';
import { TransferError } from '../errors.ts';
import { FedProgram } from '../fed-program.ts';

const programs = {
  // What a hostile file may make it allocate is limited; blocks that need more are decoded by one thread, or refused.
  xz: ['--decompress', '--stdout', '--threads=0', '--memlimit-mt-decompress=96MiB', '--memlimit-decompress=128MiB'],
  bzip2: ['--decompress', '--stdout'],
};

/** Decompresses xz or bzip2 by the program of that name. Its input is read to the end. */
export async function* decompressWithProgram(kind: keyof typeof programs, input: ByteStream): ByteStream {
  const program = new FedProgram(kind, programs[kind], input);
  try {
    for await (const chunk of program.output) yield chunk as Buffer;
    await program.finish((stderr) => explain(kind, stderr));
  } finally {
    program.stop();
  }
}

function explain(kind: string, stderr: string): TransferError {
  if (/unexpected end of (input|file)|file ends unexpectedly/i.test(stderr)) {
    return new TransferError('TruncatedImage', `the ${kind} data ends too early: the file is incomplete`);
  }
  if (/memory/i.test(stderr)) {
    return new TransferError('UnsupportedImage', `decompressing this ${kind} data takes more memory than allowed`);
  }
  return new TransferError('InvalidImage', `the ${kind} data is damaged`);
}
