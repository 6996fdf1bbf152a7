import { TransferError } from '../errors.ts';
import { runProgram } from '../programs.ts';

/**
 * Reserves the storage of all of a file, without changing what it holds.
 *
 * @throws TransferError NoSpace, TargetNotWritable
 */
export async function preallocate(path: string, size: number): Promise<void> {
  if (size === 0) return;
  const length = ['--length', size.toString()];
  let { exitCode, stderr } = await runProgram('fallocate', [...length, path]);
  // The other way writes to every block, and does not tell of a full disk.
  if (stderr.includes('not supported')) {
    ({ exitCode, stderr } = await runProgram('fallocate', ['--posix', ...length, path]));
  }
  if (exitCode === 0) return;
  if (stderr.includes('No space left')) {
    throw new TransferError('NoSpace', `${path} cannot be preallocated: no space left; use a larger volume`);
  }
  throw new TransferError('TargetNotWritable', `${path} cannot be preallocated: ${stderr}`);
}
