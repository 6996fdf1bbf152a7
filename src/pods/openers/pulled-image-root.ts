import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode, TransferError } from '../../base/errors.ts';

const LOOK_AGAIN_MILLISECONDS = 50;
/** Longest wait in milliseconds. The other container is started before this one. */
const LONGEST_WAIT = 30_000;

/**
 * Returns the root of the container that keeps a pulled image, and its environment. The containers of the pod share one
 * process namespace and run as the same user, so that each sees the root of the other below /proc.
 *
 * @param directory where the container writes its process id
 * @throws TransferError SourceNotReadable
 */
export async function pulledImageRoot(
  directory: string,
  image: string,
  signal: AbortSignal,
): Promise<{ root: string; environment: string[] }> {
  const pid = await processOf(directory, image, signal);
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    return { root: `/proc/${pid}/root`, environment: environment.split('\0') };
  } catch (error) {
    const code = systemCode(error) ?? 'failed';
    throw new TransferError(
      'SourceNotReadable',
      `the container of the image ${image} cannot be looked into (${code}): does the cluster let containers of a pod share a process namespace?`,
      { cause: error },
    );
  }
}

async function processOf(directory: string, image: string, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  for (;;) {
    const pid = Number(await readFile(join(directory, 'pid'), 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    if (performance.now() - started > LONGEST_WAIT) {
      throw new TransferError('ConnectionLost', `the container of the image ${image} does not run`);
    }
    await sleep(LOOK_AGAIN_MILLISECONDS, undefined, { signal });
  }
}
