import type { Command } from 'commander';
import { formatBytes } from '../transfer/format-bytes.ts';
import { inspectImage } from '../transfer/inspect-image.ts';
import { Progress } from '../transfer/progress.ts';
import { print, report } from './output.ts';
import { createSource, withSourceOptions, type SourceOptions } from './source.ts';

interface InspectOptions extends SourceOptions {
  json?: boolean;
}

export function registerInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('tell what a disk image is, from its start alone')
    .argument('<source>', 'https://…, docker://…, s3://…, gs://…, oci-archive:…, or a file')
    .option('--json', 'tell it as JSON');
  withSourceOptions(command).action(async (source: string, options: InspectOptions) => {
    await report(() => runInspect(source, options), options);
  });
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
