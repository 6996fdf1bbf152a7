import type { Command } from 'commander';
import type { Progress } from '../base/progress.ts';
import type { Source } from '../base/source.ts';
import { givenSource } from './sources/sources.ts';

export interface SourceOptions {
  header?: string[];
  ca?: string;
  insecure?: boolean;
  architecture?: string;
  /** How many to use at most for one object. */
  connections?: number;
  signal?: AbortSignal;
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

/** The source that somebody means by a URL, a path, or - for standard input. */
export async function createSource(given: string, options: SourceOptions, progress: Progress): Promise<Source> {
  const { ca, insecure = false, header = [], architecture, connections, signal } = options;
  const settings = {
    ...(ca === undefined ? {} : { certificatesDirectories: [ca] }),
    insecureSkipVerify: insecure,
    // With the rights of whoever typed the command there is nobody to be led past.
    followsInternalRedirects: true,
    connections,
    signal,
    secretHeaders: header,
    architecture,
  };
  return givenSource(given).open(given, settings, progress);
}

/** Where a source is a file of this machine, standard input included: which one. */
export function localPath(given: string): string | undefined {
  return givenSource(given).localPath?.(given);
}
