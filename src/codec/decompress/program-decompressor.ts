import type { ByteStream } from '../../base/bytes.ts';
import type { TransferError } from '../../base/errors.ts';
import { FedProgram } from '../../base/fed-program.ts';
import { decompressionFailure } from './failures.ts';

/** Decompresses with the program that has the name of the compression. The input is read to its end. */
export async function* decompressWithProgram(name: string, parameters: string[], input: ByteStream): ByteStream {
  const program = new FedProgram(name, parameters, input);
  try {
    for await (const chunk of program.output) yield chunk as Buffer;
    await program.finish((stderr) => explain(name, stderr));
    // bzip2 does not treat this as a failure, although what it left out may be most of the disk.
    if (program.stderr.includes('trailing garbage')) throw decompressionFailure(name, 'foreign');
  } finally {
    program.stop();
  }
}

function explain(name: string, stderr: string): TransferError {
  if (/unexpected end of (input|file)|file ends unexpectedly/i.test(stderr)) {
    return decompressionFailure(name, 'truncated');
  }
  return decompressionFailure(name, /memory/i.test(stderr) ? 'memory' : 'damaged');
}
