import type { CDI } from '../../api/cdi.ts';
import type { CDIConfig } from '../../api/cdi-config.ts';
import type { CloneGrant } from '../../api/clone-grant.ts';
import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { CDI_GROUP, V1BETA1 } from '../../api/group.ts';
import type { StorageProfile } from '../../api/storage-profile.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import type { VolumeImportSource } from '../../api/volume-import-source.ts';
import { defineResource } from '../../kube/resource.ts';

const cdi = { group: CDI_GROUP, version: V1BETA1 };

export const dataVolumes = defineResource<DataVolume>({
  ...cdi,
  kind: 'DataVolume',
  plural: 'datavolumes',
  namespaced: true,
});
export const volumeImportSources = defineResource<VolumeImportSource>({
  ...cdi,
  kind: 'VolumeImportSource',
  plural: 'volumeimportsources',
  namespaced: true,
});
export const volumeCloneSources = defineResource<VolumeCloneSource>({
  ...cdi,
  kind: 'VolumeCloneSource',
  plural: 'volumeclonesources',
  namespaced: true,
});
export const dataSources = defineResource<DataSource>({
  ...cdi,
  kind: 'DataSource',
  plural: 'datasources',
  namespaced: true,
});
export const storageProfiles = defineResource<StorageProfile>({
  ...cdi,
  kind: 'StorageProfile',
  plural: 'storageprofiles',
  namespaced: false,
});
export const cdis = defineResource<CDI>({ ...cdi, kind: 'CDI', plural: 'cdis', namespaced: false });
export const cdiConfigs = defineResource<CDIConfig>({
  ...cdi,
  kind: 'CDIConfig',
  plural: 'cdiconfigs',
  namespaced: false,
});
export const cloneGrants = defineResource<CloneGrant>({
  ...cdi,
  kind: 'CloneGrant',
  plural: 'clonegrants',
  namespaced: false,
});
