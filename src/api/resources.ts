import { cdiConfigResource } from './cdi-config.ts';
import { cdiResource } from './cdi.ts';
import { cloneGrantResource } from './clone-grant.ts';
import { dataImportCronResource } from './data-import-cron.ts';
import { dataSourceResource } from './data-source.ts';
import { dataVolumeResource } from './data-volume.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import { storageProfileResource } from './storage-profile.ts';
import { volumeCloneSourceResource } from './volume-clone-source.ts';
import { volumeImportSourceResource } from './volume-import-source.ts';
import { volumeUploadSourceResource } from './volume-upload-source.ts';

/** Every custom resource of the API. */
export const resources: readonly ResourceDefinition[] = [
  cdiResource,
  cdiConfigResource,
  cloneGrantResource,
  dataImportCronResource,
  dataSourceResource,
  dataVolumeResource,
  storageProfileResource,
  volumeCloneSourceResource,
  volumeImportSourceResource,
  volumeUploadSourceResource,
];
