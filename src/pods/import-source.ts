import type { ImportRequest } from '../protocol/transfer-pod.ts';
import type { PatienceOptions } from '../base/patience.ts';
import type { Progress } from '../base/progress.ts';
import type { Source } from '../base/source.ts';
import {
  mounted,
  readCredentials,
  readDockerConfig,
  readSecretHeaders,
  readServiceAccount,
} from './mounted-secrets.ts';
import { pulledImageRoot } from './pulled-image.ts';

/** Where an importer pod finds what its source needs. */
export interface SourceSettings {
  credentials: string;
  certificates: string;
  /** Of the authority of a proxy. */
  proxyCertificates: string;
  secretHeaders: string;
  pulledImage: string;
  patience?: PatienceOptions;
}

/** What of an import's request is about its source. */
export interface SourceRequest {
  source: Exclude<ImportRequest['source'], { type: 'blank' }>;
  followsInternalRedirects: boolean;
}

/** The source that a request names, with the credentials and certificates that are mounted for it. */
export async function openSource(
  { source, followsInternalRedirects }: SourceRequest,
  settings: SourceSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<Source> {
  const options = {
    certificatesDirectories: await mounted([settings.certificates, settings.proxyCertificates]),
    followsInternalRedirects,
    signal,
    ...(settings.patience === undefined ? {} : { patience: settings.patience }),
  };
  if (source.type === 'pulled-image') {
    const root = await pulledImageRoot(settings.pulledImage, source.image, signal);
    const { ContainerDiskSource } = await import('../source/kinds/container-disk-source.ts');
    return new ContainerDiskSource({ ...root, location: source.image }, progress);
  }
  const { url } = source;
  // Each kind has libraries of its own, which the others need not wait for.
  switch (source.type) {
    case 'http': {
      const { HttpSource } = await import('../source/kinds/http-source.ts');
      const { extraHeaders: headers, insecureSkipVerify } = source;
      const credentials = await readCredentials(settings.credentials);
      const secretHeaders = await readSecretHeaders(settings.secretHeaders);
      return new HttpSource({ ...options, url, headers, secretHeaders, insecureSkipVerify, credentials }, progress);
    }
    case 's3': {
      const { S3Source } = await import('../source/kinds/s3-source.ts');
      const found = await readCredentials(settings.credentials);
      const credentials = found && { accessKeyId: found.user, secretAccessKey: found.password };
      return new S3Source({ ...options, url, credentials }, progress);
    }
    case 'gcs': {
      const { GcsSource } = await import('../source/kinds/gcs-source.ts');
      return new GcsSource({ ...options, url, credentials: await readServiceAccount(settings.credentials) }, progress);
    }
    case 'registry': {
      const { insecureRegistry, architecture } = source;
      const credentials = await readCredentials(settings.credentials);
      if (url.startsWith('oci-archive:')) {
        const { OciArchiveSource } = await import('../source/kinds/oci-archive-source.ts');
        return new OciArchiveSource({ ...options, url, architecture, credentials }, progress);
      }
      const { RegistrySource } = await import('../source/kinds/registry-source.ts');
      const dockerConfig = await readDockerConfig(settings.credentials);
      return new RegistrySource(
        { ...options, url, insecureRegistry, architecture, credentials, dockerConfig },
        progress,
      );
    }
  }
}
