import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { parseChecksum, type Checksum } from '../transfer/checksum.ts';
import { ScratchNeeded, TransferError, asTransferError, systemCode } from '../transfer/errors.ts';
import { formatBytes } from '../transfer/format-bytes.ts';
import { importImage } from '../transfer/import-image.ts';
import { inspectImage } from '../transfer/inspect-image.ts';
import { Progress } from '../transfer/progress.ts';
import { BlockSink } from '../transfer/sinks/block-sink.ts';
import { FileSink } from '../transfer/sinks/file-sink.ts';
import type { Sink } from '../transfer/sinks/sink.ts';
import { asTargetError } from '../transfer/sinks/target-errors.ts';
import { createSource, type SourceOptions } from './source.ts';
import { ProgressBar } from './progress-bar.ts';

interface InspectOptions extends SourceOptions {
  json?: boolean;
}

interface ImportOptions extends InspectOptions {
  sha256?: Checksum;
  preallocation?: boolean;
  scratch?: string;
}

/** Adds the commands that work without a cluster. */
export function registerCommands(program: Command): void {
  const importing = program
    .command('import')
    .description('write a disk image to a raw file or a block device, converting it on the way')
    .argument('<source>', 'https://…, docker://…, s3://…, gs://…, oci-archive:…, a file, or - for standard input')
    .argument('<target>', 'a file, which becomes sparse, or a block device')
    .option('--sha256 <hex>', 'what the source must have as SHA-256', parseSha256)
    .option('--preallocation', "reserve all of the disk's storage")
    .option('--scratch <folder>', 'where an image that cannot be streamed may be copied to')
    .option('--json', 'tell the progress and the result as JSON lines');
  withSourceOptions(importing).action(async (source: string, target: string, options: ImportOptions) => {
    await report(() => runImport(source, resolve(target), options), options);
  });

  const inspecting = program
    .command('inspect')
    .description('tell what a disk image is, from its start alone')
    .argument('<source>', 'https://…, docker://…, s3://…, gs://…, oci-archive:…, or a file')
    .option('--json', 'tell it as JSON');
  withSourceOptions(inspecting).action(async (source: string, options: InspectOptions) => {
    await report(() => runInspect(source, options), options);
  });
}

function withSourceOptions(command: Command): Command {
  return command
    .option('--header <line...>', 'more headers for a web server, "Name: value"')
    .option('--ca <folder>', 'folder of PEM certificates to trust besides the system’s')
    .option('--insecure', 'accept any certificate, and plain http from a registry')
    .option('--architecture <name>', 'which image of a registry’s index: amd64, arm64, …');
}

async function runImport(given: string, target: string, options: ImportOptions): Promise<void> {
  const { json = false } = options;
  const progress = new Progress(json ? printStep : undefined);
  const source = await createSource(given, options, progress);
  const sink = await createSink(target, options.preallocation ?? false, progress);
  const bar = !json && process.stderr.isTTY ? new ProgressBar(progress, process.stderr) : undefined;
  const started = performance.now();
  try {
    const { sha256: checksum, scratch: scratchDirectory } = options;
    const image = await importImage({ source, sink, progress, checksum, scratchDirectory });
    bar?.stop();
    const seconds = (performance.now() - started) / 1000;
    const { bytesRead, bytesWritten } = progress;
    if (json) print({ step: 'imported', ...image, bytesRead, bytesWritten, seconds });
    else {
      console.log(
        `${target}: ${formatBytes(image.virtualSize)} from ${image.format}, ` +
          `${formatBytes(bytesRead)} read, ${formatBytes(bytesWritten)} written, ${seconds.toFixed(1)} s`,
      );
    }
  } catch (error) {
    bar?.stop();
    throw error;
  }
}

async function runInspect(given: string, options: InspectOptions): Promise<void> {
  const image = await inspectImage(await createSource(given, options, new Progress()));
  if (options.json) {
    print(image);
    return;
  }
  const { location, format, wrappers, size, virtualSize, labels } = image;
  const lines: [string, string | undefined][] = [
    ['source', location],
    ['format', [...wrappers, format].join(' › ')],
    ['size', size === undefined ? 'unknown' : formatBytes(size)],
    ['virtual size', virtualSize === undefined ? 'unknown' : formatBytes(virtualSize)],
    ...Object.entries(labels).map(([name, value]): [string, string] => ['label', `${name}=${value}`]),
  ];
  for (const [name, value] of lines) console.log(`${`${name}:`.padEnd(14)}${value}`);
}

async function createSink(path: string, preallocation: boolean, progress: Progress): Promise<Sink> {
  try {
    if ((await stat(path)).isBlockDevice()) return new BlockSink({ path, preallocation }, progress);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw asTargetError(error, path);
  }
  return new FileSink({ path, preallocation }, progress);
}

function parseSha256(hex: string): Checksum {
  try {
    return parseChecksum(`sha256:${hex}`);
  } catch {
    throw new InvalidArgumentError('It should be 64 hexadecimal digits.');
  }
}

/** Says what failed in one line, and ends with a code other than 0. */
async function report(work: () => Promise<void>, { json = false }: { json?: boolean }): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure =
      error instanceof ScratchNeeded
        ? new TransferError('InvalidRequest', `${error.message}; name a folder for that with --scratch`)
        : asTransferError(error);
    if (json) print({ step: 'failed', code: failure.code, permanent: failure.permanent, message: failure.message });
    else console.error(`diskpress: ${failure.message}`);
    process.exitCode = 1;
  }
}

function printStep(step: string, details: Record<string, unknown>): void {
  print({ step, ...details });
}

function print(value: object): void {
  console.log(JSON.stringify(value));
}
