import type { ByteStream } from '../bytes.ts';
import type { TransferError } from '../errors.ts';
import { FedProgram } from '../fed-program.ts';
import { decompressionFailure } from './failures.ts';

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

function explain(kind: keyof typeof programs, stderr: string): TransferError {
  if (/unexpected end of (input|file)|file ends unexpectedly/i.test(stderr)) {
    return decompressionFailure(kind, 'truncated');
  }
  return decompressionFailure(kind, /memory/i.test(stderr) ? 'memory' : 'damaged');
}
