import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Checksum } from '../base/checksum.ts';
import { TransferError } from '../base/errors.ts';
import { formatBytes } from '../base/format-bytes.ts';
import { unmapExecutable } from '../base/native/executable-pages.ts';
import type { Progress } from '../base/progress.ts';
import { formatNamed, formatNames } from '../image/formats/drivers.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';
import { importDisk } from '../transfer/disk/import-disk.ts';
import type { ImportedImage } from '../transfer/import/finish.ts';
import { importImage } from '../transfer/import/import-image.ts';
import { interruptible } from './interruption.ts';
import { parseSha256 } from './options.ts';
import { print, printLines, report, tell } from './output.ts';
import { followProgress } from './progress-report.ts';
import { createSource, isDisk, localPath, type SourceOptions, withSourceOptions } from './source.ts';
import { shownSources } from './sources/sources.ts';
import { createTarget, type Target } from './target.ts';

const MOST_CONNECTIONS = 32;

interface ImportOptions extends SourceOptions {
  sha256?: Checksum;
  /** The name of a format. */
  format?: string;
  resume?: boolean;
  connections?: number;
  preallocation?: boolean;
  scratch?: string;
  json?: boolean;
}

export function registerImport(program: Command): void {
  const command = program
    .command('import')
    .description('write a disk image to a raw file or a block device, converting it on the way')
    .argument('<source>', shownSources(true))
    .argument('<target>', 'a file, which becomes sparse, or a block device')
    .option('--sha256 <hex>', 'what the source must have as SHA-256', parseSha256)
    .addOption(new Option('--format <name>', 'what the image is, without looking').choices(formatNames))
    .option('--resume', 'go on with an import that was interrupted, where source and target are still the same')
    .option('--connections <n>', 'how many to use at most for one object (default: 4)', parseConnections)
    .option('--preallocation', "reserve all of the disk's storage")
    .option('--scratch <folder>', 'where an image that cannot be streamed may be copied to')
    .option('--json', 'tell the progress and the result as JSON lines');
  withSourceOptions(command).action(async (source: string, target: string, options: ImportOptions) => {
    await report(() => interruptible((signal) => runImport(source, resolve(target), options, signal)), options);
  });
}

async function runImport(given: string, path: string, options: ImportOptions, signal: AbortSignal): Promise<void> {
  const { json = false, resume = false, preallocation = false } = options;
  const { sha256: checksum, scratch: scratchDirectory } = options;
  const format = options.format === undefined ? undefined : formatNamed(options.format);
  const { progress, following } = followProgress(json);
  const started = performance.now();
  let target: Target | undefined;
  unmapExecutable();
  try {
    await refuseItself(given, path);
    target = await createTarget(path, preallocation, progress);
    const { sink, checkpoints, openTransfers } = target;
    const source = await createSource(given, { ...options, signal, openTransfers }, progress);
    if (!resume) await checkpoints.remove();
    else if ((await checkpoints.load()) === undefined) {
      progress.note('starting over', { why: `nothing is known of an interrupted import into ${path}` });
    }
    const common = { sink, progress, checkpoints: { store: checkpoints }, signal };
    const image = isDisk(source)
      ? await importDisk({ disk: source, ...common })
      : await importImage({ source, checksum, format, scratchDirectory, ...common });
    following.stop();
    tellResult(path, image, progress, (performance.now() - started) / 1000, json);
  } catch (error) {
    following.stop();
    if (target !== undefined) await tellHowToGoOn(path, target.checkpoints, json);
    throw error;
  }
}

/** Refuses a target that is the source, because its content is removed before the first byte is written. */
async function refuseItself(given: string, target: string): Promise<void> {
  const source = localPath(given);
  if (source === undefined) return;
  const [from, to] = await Promise.all([source, target].map((path) => stat(path).catch(() => undefined)));
  if (from === undefined || to === undefined) return;
  const isSameDevice = from.isBlockDevice() && to.isBlockDevice() && from.rdev === to.rdev;
  if (isSameDevice || (from.ino === to.ino && from.dev === to.dev)) {
    throw new TransferError('InvalidRequest', `${target} is the source itself: name another target`);
  }
}

function tellResult(path: string, image: ImportedImage, progress: Progress, seconds: number, json: boolean): void {
  const { bytesRead, bytesSkipped, bytesWritten } = progress.counters;
  if (json) {
    print({ step: 'imported', ...image, bytesRead, bytesSkipped, bytesWritten, seconds });
    return;
  }
  printLines([
    `${path}: ${formatBytes(image.virtualSize)} from ${image.format}, ` +
      `${formatBytes(bytesRead)} read, ${formatBytes(bytesWritten)} written, ${seconds.toFixed(1)} s`,
  ]);
}

async function tellHowToGoOn(path: string, checkpoints: CheckpointStore, json: boolean): Promise<void> {
  const resumable = (await checkpoints.load()) !== undefined;
  if (!resumable) return;
  if (json) print({ step: 'resumable', target: path });
  else tell(`${path} is unfinished; the same command with --resume goes on from here`);
}

function parseConnections(text: string): number {
  const connections = Number(text);
  if (Number.isInteger(connections) && connections >= 1 && connections <= MOST_CONNECTIONS) return connections;
  throw new InvalidArgumentError(`It should be a number from 1 to ${MOST_CONNECTIONS}.`);
}
