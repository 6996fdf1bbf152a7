import type { Command } from 'commander';
import { formatBytes } from '../base/format-bytes.ts';
import { Progress } from '../base/progress.ts';
import { inspectDisk } from '../transfer/disk/inspect-disk.ts';
import { type InspectedImage, inspectImage } from '../transfer/inspect-image.ts';
import { print, printLines, report, tell } from './output.ts';
import { createSource, isDisk, type SourceOptions, withSourceOptions } from './source.ts';
import { shownSources } from './sources/sources.ts';

interface InspectOptions extends SourceOptions {
  json?: boolean;
}

const DOUBT = 'may not be a disk; an import refuses it where another file of the archive might be one, too';

export function registerInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('tell what a disk image is, from its start alone')
    .argument('<source>', shownSources(false))
    .option('--json', 'tell it as JSON');
  withSourceOptions(command).action(async (source: string, options: InspectOptions) => {
    await report(() => runInspect(source, options), options);
  });
}

async function runInspect(given: string, options: InspectOptions): Promise<void> {
  const progress = new Progress((step, details) => {
    if (step === 'retrying') tell(`${String(details['failure'])}; trying again`);
  });
  const source = await createSource(given, options, progress);
  const image = isDisk(source) ? await inspectDisk(source) : await inspectImage(source);
  if (options.json) {
    print(image);
    return;
  }
  printLines(describe(image).map(([name, value]) => `${`${name}:`.padEnd(14)}${value}`));
}

function describe(image: InspectedImage): [string, string][] {
  const { location, format, version, wrappers, size, virtualSize, clusterSize } = image;
  const kind = version === undefined ? format : `${format} (${version})`;
  const rows: [string, string | number | undefined][] = [
    ['source', location],
    ['format', [...wrappers, kind].join(' › ')],
    ['size', size === undefined ? 'unknown' : formatBytes(size)],
    ['virtual size', virtualSize === undefined ? 'unknown' : formatBytes(virtualSize)],
    ['cluster size', clusterSize && formatBytes(clusterSize)],
    ['compression', image.compression],
    ['snapshots', image.snapshots || undefined],
    ['backing file', image.backingFile],
    ['data file', image.dataFile],
    ['encryption', image.encryption],
    ['features', image.features?.join(', ')],
    ['refused', image.refusal],
    ['doubtful', image.isDoubtful ? DOUBT : undefined],
    ...Object.entries(image.labels).map(([name, value]): [string, string] => ['label', `${name}=${value}`]),
  ];
  return rows.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, `${value}`]]));
}
