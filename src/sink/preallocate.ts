import type { FileHandle } from 'node:fs/promises';
import { TransferError } from '../base/errors.ts';
import { saysNoSpace } from '../base/no-space.ts';
import { inherited, runProgram } from '../base/programs.ts';

/**
 * Reserves the storage of a whole file without changing its content.
 *
 * @param path for messages
 * @param size in bytes
 * @throws TransferError NoSpace, TargetNotWritable
 */
export async function preallocate(file: FileHandle, path: string, size: number): Promise<void> {
  if (size === 0) return;
  const options = { descriptors: [file.fd] };
  const what = ['--length', size.toString(), inherited(0)];
  let { exitCode, stderr } = await runProgram('fallocate', what, options);
  // The fallback of fallocate writes to every block, and does not report a full disk.
  if (stderr.includes('not supported')) {
    ({ exitCode, stderr } = await runProgram('fallocate', ['--posix', ...what], options));
  }
  if (exitCode === 0) return;
  if (saysNoSpace(stderr)) {
    throw new TransferError('NoSpace', `${path} cannot be preallocated: no space left; use a larger volume`);
  }
  throw new TransferError('TargetNotWritable', `${path} cannot be preallocated: ${stderr}`);
}
