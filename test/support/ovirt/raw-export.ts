import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { Program } from '../child-process.ts';
import { eventually } from '../eventually.ts';

/** A disk as a guest sees it, served over NBD as oVirt's hosts do it for a transfer of format raw. */
export interface RawExport {
  /** `nbd:unix:/path`. */
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  stop(): Promise<void>;
}

/**
 * @param file a qcow2 image
 * @param isShallow whether it is served without its backing files, with what it does not have as holes
 */
export async function exportRaw(state: string, file: string, isShallow: boolean): Promise<RawExport> {
  const folder = await mkdtemp(join(state, 'nbd-'));
  const socket = join(folder, 'sock');
  const layer = { driver: 'qcow2', file: { driver: 'file', filename: file }, backing: null };
  const image = isShallow ? ['-A', `json:${JSON.stringify(layer)}`] : ['-A', '-f', 'qcow2', file];
  const log = join(folder, 'qemu-nbd.log');
  const program = new Program('qemu-nbd', ['-r', '-t', '-e', '8', '-k', socket, '-x', '', ...image], log);
  const told = JSON.parse(await run('qemu-img', ['info', '-U', '--output=json', file])) as { 'virtual-size': number };
  await eventually('qemu-nbd serves', () => run('qemu-img', ['info', '-f', 'raw', `nbd:unix:${socket}`]));
  return {
    url: `nbd:unix:${socket}`,
    size: told['virtual-size'],
    stop: async () => {
      await program.end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
