import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { TransferError, systemCode } from '../base/errors.ts';
import type { S3Credentials } from '../source/object-storage/s3-requests.ts';
import type { Progress } from '../base/progress.ts';
import type { Source } from '../base/source.ts';
import { FileSource } from '../source/kinds/file-source.ts';
import { HttpSource } from '../source/kinds/http-source.ts';
import { openStandardInput } from '../source/kinds/standard-input.ts';

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
  const { ca, insecure = false, architecture, header: secretHeaders = [] } = options;
  const { connections, signal } = options;
  const trust = { ...(ca === undefined ? {} : { certificatesDirectories: [ca] }), insecureSkipVerify: insecure };
  // With the rights of whoever typed the command there is nobody to be led past.
  const common = { ...trust, followsInternalRedirects: true, connections, signal };
  if (given === '-') return openStandardInput(progress);
  if (given.startsWith('docker://')) {
    const { RegistrySource } = await import('../source/kinds/registry-source.ts');
    const dockerConfig = await readIfThere(join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json'));
    return new RegistrySource(
      { url: given, ...common, insecureRegistry: insecure, architecture, dockerConfig },
      progress,
    );
  }
  if (given.startsWith('oci-archive:')) {
    const { OciArchiveSource } = await import('../source/kinds/oci-archive-source.ts');
    return new OciArchiveSource({ url: given, ...common, secretHeaders, architecture }, progress);
  }
  if (given.startsWith('s3://')) {
    const { S3Source } = await import('../source/kinds/s3-source.ts');
    const { s3ObjectUrl } = await import('../source/object-storage/s3-location.ts');
    const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
    const url = s3ObjectUrl(given, { region, endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] });
    return new S3Source({ url: url.href, ...common, region, credentials: s3Credentials() }, progress);
  }
  if (given.startsWith('gs://')) {
    const { GcsSource } = await import('../source/kinds/gcs-source.ts');
    const file = env['GOOGLE_APPLICATION_CREDENTIALS'];
    const credentials = file === undefined ? undefined : await readRequired(file);
    return new GcsSource({ url: given, ...common, credentials, endpoint: gcsEndpoint() }, progress);
  }
  const path = localPath(given);
  if (path !== undefined) return new FileSource(path, progress);
  return new HttpSource({ url: given, ...common, secretHeaders }, progress);
}

/** Where a source is a file of this machine, standard input included: which one. */
export function localPath(given: string): string | undefined {
  if (given === '-') return '/dev/stdin';
  if (given.startsWith('file://')) return fileURLToPath(given);
  if (given.startsWith('oci-archive:')) return localPath(given.slice('oci-archive:'.length));
  return given.includes('://') ? undefined : given;
}

function s3Credentials(): S3Credentials | undefined {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] };
}

/** Google's own libraries look at this variable too, which may hold a host alone. */
function gcsEndpoint(): string | undefined {
  const host = env['STORAGE_EMULATOR_HOST'];
  return host === undefined || host.includes('://') ? host : `http://${host}`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw notReadable(path, error);
  }
}

async function readRequired(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw notReadable(path, error);
  }
}

function notReadable(path: string, cause: unknown): TransferError {
  return new TransferError('InvalidRequest', `cannot read ${path} (${systemCode(cause) ?? 'failed'})`, { cause });
}
