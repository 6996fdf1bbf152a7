import type { ByteStream } from '../../base/bytes.ts';
import type { TransferError } from '../../base/errors.ts';
import { FedProgram } from '../../base/fed-program.ts';
import { xzMemory } from '../../base/native/memory-limit.ts';
import { decompressionFailure } from './failures.ts';

const argumentsOf = {
  xz: () => {
    const { threaded, most } = xzMemory();
    const limits = [`--memlimit-mt-decompress=${threaded}`, `--memlimit-decompress=${most}`];
    return ['--decompress', '--stdout', '--threads=0', ...limits];
  },
  bzip2: () => ['--decompress', '--stdout'],
};

/** Decompresses xz or bzip2 by the program of that name. Its input is read to the end. */
export async function* decompressWithProgram(kind: keyof typeof argumentsOf, input: ByteStream): ByteStream {
  const program = new FedProgram(kind, argumentsOf[kind](), input);
  try {
    for await (const chunk of program.output) yield chunk as Buffer;
    await program.finish((stderr) => explain(kind, stderr));
    // To bzip2 that is no failure, and what it has left out may be most of the disk.
    if (program.stderr.includes('trailing garbage')) throw decompressionFailure(kind, 'foreign');
  } finally {
    program.stop();
  }
}

function explain(kind: keyof typeof argumentsOf, stderr: string): TransferError {
  if (/unexpected end of (input|file)|file ends unexpectedly/i.test(stderr)) {
    return decompressionFailure(kind, 'truncated');
  }
  return decompressionFailure(kind, /memory/i.test(stderr) ? 'memory' : 'damaged');
}
