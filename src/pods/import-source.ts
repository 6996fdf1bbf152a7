import type { ImportRequest } from '../api/transfer-pod.ts';
import type { PatienceOptions } from '../transfer/patience.ts';
import type { Progress } from '../transfer/progress.ts';
import type { Source } from '../transfer/source.ts';
import { HttpSource } from '../transfer/sources/http-source.ts';
import { RegistrySource } from '../transfer/sources/registry-source.ts';
import { mounted, readCredentials, readSecretHeaders } from './mounted-secrets.ts';

/** Where an importer pod finds what its source needs. */
export interface SourceSettings {
  credentials: string;
  certificates: string;
  secretHeaders: string;
  patience?: PatienceOptions;
}

/** The source that a request names, with the credentials and certificates that are mounted for it. */
export async function openSource(
  source: Exclude<ImportRequest['source'], { type: 'blank' }>,
  settings: SourceSettings,
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
