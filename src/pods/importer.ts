import { dirname } from 'node:path';
import { env } from 'node:process';
import {
  BLOCK_DEVICE_PATH,
  CERTIFICATES_DIRECTORY,
  CREDENTIALS_DIRECTORY,
  DISK_IMAGE_PATH,
  IMPORT_REQUEST_VARIABLE,
  PROGRESS_PORT,
  SCRATCH_DIRECTORY,
  SECRET_HEADERS_DIRECTORY,
  importRequest,
  type ImportRequest,
  type TransferResult,
} from '../api/transfer-pod.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { parseChecksum } from '../transfer/checksum.ts';
import { ScratchNeeded, TransferError, asTransferError } from '../transfer/errors.ts';
import { importArchive } from '../transfer/import-archive.ts';
import { importImage, writeBlankDisk } from '../transfer/import-image.ts';
import type { PatienceOptions } from '../transfer/patience.ts';
import { Progress } from '../transfer/progress.ts';
import type { Source } from '../transfer/source.ts';
import { HttpSource } from '../transfer/sources/http-source.ts';
import { RegistrySource } from '../transfer/sources/registry-source.ts';
import { mounted, readCredentials, readSecretHeaders } from './mounted-secrets.ts';
import { serveProgress } from './progress-server.ts';
import { writeTerminationMessage } from './termination.ts';
import { createSink } from './transfer-sink.ts';

export interface ImporterSettings {
  credentials: string;
  certificates: string;
  secretHeaders: string;
  diskImage: string;
  blockDevice: string;
  scratch: string;
  progressPort: number;
  patience?: PatienceOptions;
  logger: Logger;
}

/**
 * The importer pod: does what the request in the environment says, serves its progress meanwhile, and leaves the
 * result as termination message.
 *
 * @param overrides of what is otherwise a pod's
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runImporter(overrides: Partial<ImporterSettings> = {}): Promise<number> {
  const settings: ImporterSettings = {
    credentials: CREDENTIALS_DIRECTORY,
    certificates: CERTIFICATES_DIRECTORY,
    secretHeaders: SECRET_HEADERS_DIRECTORY,
    diskImage: DISK_IMAGE_PATH,
    blockDevice: BLOCK_DEVICE_PATH,
    scratch: SCRATCH_DIRECTORY,
    progressPort: PROGRESS_PORT,
    logger: createLogger(),
    ...overrides,
  };
  const { logger } = settings;
  const termination = new AbortController();
  const terminate = (): void => {
    termination.abort(new TransferError('Interrupted', 'the importer was told to stop'));
  };
  process.once('SIGTERM', terminate);
  const started = performance.now();
  const progress = new Progress((step, details) => {
    logger.info(step, details);
  });
  const server = await serveProgress(progress, settings.progressPort);
  let result: TransferResult;
  try {
    result = await importVolume(settings, progress, termination.signal);
  } catch (error) {
    result = describeFailure(termination.signal.aborted ? termination.signal.reason : error, logger);
  } finally {
    process.removeListener('SIGTERM', terminate);
    await server.close();
  }
  logger.info('finished', { ...result, seconds: Math.round(performance.now() - started) / 1000 });
  await writeTerminationMessage(result);
  return result.outcome === 'succeeded' ? 0 : 1;
}

async function importVolume(
  settings: ImporterSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferResult> {
  const { source, target, scratch } = readRequest();
  const sink = createSink(target, settings, progress);
  if (source.type === 'blank') {
    const { virtualSize, preallocated } = await writeBlankDisk(sink, progress);
    return succeeded(progress, { virtualSize, preallocated, format: 'raw' });
  }
  const checksum = source.type === 'http' && source.checksum !== undefined ? parseChecksum(source.checksum) : undefined;
  const opened = await createSource(source, settings, progress, signal);
  if (target.contentType === 'archive') {
    await importArchive({ source: opened, directory: dirname(settings.diskImage), progress, checksum });
    return succeeded(progress, {});
  }
  const image = await importImage({
    source: opened,
    sink,
    progress,
    checksum,
    scratchDirectory: scratch ? settings.scratch : undefined,
    signal,
  });
  const { labels } = opened;
  return succeeded(progress, { ...image, ...(labels === undefined ? {} : { labels }) });
}

async function createSource(
  source: Exclude<ImportRequest['source'], { type: 'blank' }>,
  settings: ImporterSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<Source> {
  const options = {
    credentials: await readCredentials(settings.credentials),
    certificatesDirectory: await mounted(settings.certificates),
    signal,
    ...(settings.patience === undefined ? {} : { patience: settings.patience }),
  };
  if (source.type === 'registry') return new RegistrySource({ ...options, ...source }, progress);
  return new HttpSource(
    {
      ...options,
      url: source.url,
      headers: source.extraHeaders,
      secretHeaders: await readSecretHeaders(settings.secretHeaders),
      insecureSkipVerify: source.insecureSkipVerify,
    },
    progress,
  );
}

function readRequest(): ImportRequest {
  const parsed = importRequest.safeParse(parseJson(env[IMPORT_REQUEST_VARIABLE]));
  if (parsed.success) return parsed.data;
  throw new TransferError(
    'InvalidRequest',
    `${IMPORT_REQUEST_VARIABLE} holds no valid request: ${parsed.error.message}`,
  );
}

function parseJson(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function succeeded(
  { bytesRead, bytesWritten }: Progress,
  more: Partial<Extract<TransferResult, { outcome: 'succeeded' }>>,
): TransferResult {
  return { outcome: 'succeeded', bytesRead, bytesWritten, ...more };
}

function describeFailure(error: unknown, logger: Logger): TransferResult {
  if (error instanceof ScratchNeeded) return { outcome: 'scratch-required', message: error.message };
  const failure = asTransferError(error);
  if (failure.code === 'InternalError') logger.error('internal error', { error: failure.cause });
  return { outcome: 'failed', permanent: failure.permanent, code: failure.code, message: failure.message };
}
