import { cdis } from './cdi.ts';
import { cdiConfigs } from './cdi-config.ts';
import { cloneGrants } from './clone-grant.ts';
import { dataImportCrons } from './data-import-cron.ts';
import { dataSources } from './data-source.ts';
import { dataVolumes } from './data-volume.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import { storageProfiles } from './storage-profile.ts';
import { volumeCloneSources } from './volume-clone-source.ts';
import { volumeImportSources } from './volume-import-source.ts';
import { volumeUploadSources } from './volume-upload-source.ts';

/** Every custom resource of the API. */
export const resources: readonly ResourceDefinition[] = [
  cdis,
  cdiConfigs,
  cloneGrants,
  dataImportCrons,
  dataSources,
  dataVolumes,
  storageProfiles,
  volumeCloneSources,
  volumeImportSources,
  volumeUploadSources,
];
