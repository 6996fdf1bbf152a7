import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, logSettings } from '../../../src/base/logger.ts';
import { type ImporterSettings, runImporter } from '../../../src/pods/importer.ts';
import {
  IMPORT_REQUEST_VARIABLE,
  type ImportRequest,
  type TransferResult,
  transferResult,
} from '../../../src/protocol/transfer-pod.ts';

const MEBIBYTE = 1024 * 1024;

type HttpRequestSource = Extract<ImportRequest['source'], { type: 'http' }>;
type RegistryRequestSource = Extract<ImportRequest['source'], { type: 'registry' }>;

export interface PodOptions {
  source:
    | Partial<HttpRequestSource>
    | ({ type: 'registry' } & Partial<RegistryRequestSource>)
    | Exclude<ImportRequest['source'], { type: 'http' | 'registry' }>;
  target?: Partial<ImportRequest['target']>;
  dependencies?: ImportRequest['dependencies'];
  format?: ImportRequest['format'];
  scratch?: boolean;
  followsInternalRedirects?: boolean;
  openTransfer?: ImportRequest['openTransfer'];
  stage?: ImportRequest['stage'];
  settings?: Partial<ImporterSettings>;
  /** Called before the importer runs. */
  prepare?: (diskImage: string) => Promise<void>;
}

export interface PodRun {
  exitCode: number;
  result: TransferResult;
  volume: string;
  diskImage: string;
}

/** Runs the importer as its pod would, with folders of its own in place of the pod's mounts. */
export async function importInPod(parent: string, options: PodOptions): Promise<PodRun> {
  const pod = await mkdtemp(join(parent, 'pod-'));
  const volume = join(pod, 'data');
  await mkdir(volume);
  const request = {
    source: completeSource(options.source),
    target: {
      volumeMode: 'Filesystem',
      capacity: 100 * MEBIBYTE,
      filesystemOverhead: 0.06,
      preallocation: false,
      contentType: 'kubevirt',
      ...options.target,
    },
    dependencies: options.dependencies ?? [],
    format: options.format,
    scratch: options.scratch ?? false,
    followsInternalRedirects: options.followsInternalRedirects ?? false,
    openTransfer: options.openTransfer,
    stage: options.stage,
  };
  process.env[IMPORT_REQUEST_VARIABLE] = JSON.stringify(request);
  process.env['TERMINATION_MESSAGE_PATH'] = join(pod, 'termination-log');
  const diskImage = join(volume, 'disk.img');
  await options.prepare?.(diskImage);
  const exitCode = await runImporter({
    credentials: join(pod, 'credentials'),
    certificates: join(pod, 'certificates'),
    proxyCertificates: join(pod, 'proxy-certificates'),
    secretHeaders: join(pod, 'secret-headers'),
    pulledImage: join(pod, 'pulled-image'),
    sourceFiles: join(pod, 'sources'),
    vddkLibrary: join(pod, 'opt/vmware-vix-disklib-distrib'),
    vddkOptions: join(pod, 'vddk-args'),
    diskImage,
    progressPort: 0,
    logger: createLogger(logSettings({ LOG_LEVEL: process.env['DISKPRESS_TEST_LOG'] ?? 'error' })),
    ...options.settings,
  });
  const result = transferResult.parse(JSON.parse(await readFile(join(pod, 'termination-log'), 'utf8')));
  return { exitCode, result, volume, diskImage };
}

function completeSource(source: PodOptions['source']): object {
  if (source.type === 'registry') return { insecureRegistry: true, ...source };
  if (source.type !== undefined && source.type !== 'http') return source;
  return { type: 'http', extraHeaders: [], insecureSkipVerify: false, ...source };
}
