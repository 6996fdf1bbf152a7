import type { Command } from 'commander';
import type { DiskSource } from '../base/disk-source.ts';
import type { Progress } from '../base/progress.ts';
import type { OpenTransfers } from '../source/imageio/open-transfers.ts';
import type { GivenContent } from './sources/given-source.ts';
import { givenSource } from './sources/sources.ts';

/** For what is opened for a moment only. */
const unkept: OpenTransfers = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

export interface SourceOptions {
  header?: string[];
  ca?: string;
  insecure?: boolean;
  architecture?: string;
  /** Most connections for one object. */
  connections?: number;
  signal?: AbortSignal;
  /** Where the transfer that is open at another system is kept; by default it is not. */
  openTransfers?: OpenTransfers;
}

/** Adds the options of every command that reads an image. */
export function withSourceOptions(command: Command): Command {
  return command
    .option('--header <line>', 'another header, "Name: value", for the source’s web server alone; repeatable', addLine)
    .option('--ca <path>', 'file of PEM certificates to trust besides the system’s, or a folder of such')
    .option('--insecure', 'accept any certificate, and plain http from a registry')
    .option('--architecture <name>', 'which image of a registry’s index: amd64, arm64, …');
}

function addLine(line: string, earlier: string[] = []): string[] {
  return [...earlier, line];
}

/** Opens the source that the user names: a URL, a path, or - for standard input. */
export async function createSource(given: string, options: SourceOptions, progress: Progress): Promise<GivenContent> {
  const { ca, insecure = false, header = [], architecture, connections, signal, openTransfers = unkept } = options;
  const settings = {
    ...(ca === undefined ? {} : { certificatesDirectories: [ca] }),
    insecureSkipVerify: insecure,
    // The command runs with the rights of its user, so that a redirect reaches nothing that the user could not reach.
    followsInternalRedirects: true,
    connections,
    signal,
    secretHeaders: header,
    architecture,
    openTransfers,
  };
  return givenSource(given).open(given, settings, progress);
}

/** Whether a source is a disk that another system serves in ranges. */
export function isDisk(source: GivenContent): source is DiskSource {
  return 'ranges' in source;
}

/** Returns the local path of a source that is a file on this machine, including standard input. */
export function localPath(given: string): string | undefined {
  return givenSource(given).localPath?.(given);
}
