import fc from 'fast-check';
import {
  dataVolumeAnnotation,
  populationAnnotation,
  stateAnnotation,
  userAnnotation,
} from '../../../../src/api/annotations.ts';
import { cloneTypes } from '../../../../src/api/clone.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import {
  cloneBegunAnnotation,
  openTransferAnnotation,
  transferCheckpointAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
  workSourceUidAnnotation,
} from '../../../../src/controllers/objects/internal-annotations.ts';
import type { OwnerReference } from '../../../../src/kube/resource.ts';
import {
  copySourcePodName,
  importerPodName,
  mountingPodName,
  primeClaimName,
  scratchClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  temporarySourceClaimName,
  transferSecretName,
  uploadPodName,
} from '../../../../src/protocol/object-names.ts';
import type { Annotations } from './actions.ts';
import { TEAM } from './installation.ts';

/** Uids say whose they are, and can be guessed: a tenant of this world knows more than one of a real cluster. */
const uidOf = (kind: string, name: string) => `${kind}.${TEAM}.${name}.1`;

/** The DataVolume, and the claim, that the tenant begins with. */
export const DISK = 'disk';
const DISK_UID = uidOf('persistentvolumeclaim', DISK);
/** The working claim of its import. */
export const PRIME = primeClaimName(DISK_UID);
/** The working claim of its clone. */
export const TEMPORARY = temporaryClaimName(DISK_UID);
export const FOREIGN_UID = 'persistentvolumeclaim.victim.secret.1';

export const someOf = <T extends string>(...values: T[]) => fc.constantFrom(...values);

/** Names that claims have, or that the controllers have in mind for one. */
export const claims = someOf(
  DISK,
  PRIME,
  TEMPORARY,
  temporarySourceClaimName(DISK_UID),
  scratchClaimName(DISK),
  scratchClaimName(PRIME),
  'own',
  'other',
);
/** Those of them that get their volume from the storage. */
export const workingClaims = someOf(DISK, PRIME, TEMPORARY, temporarySourceClaimName(DISK_UID), 'other');
export const secretNames = someOf(
  transferSecretName(DISK_UID),
  transferSecretName(uidOf('persistentvolumeclaim', TEMPORARY)),
  transferSecretName(uidOf('persistentvolumeclaim', PRIME)),
);
export const podNames = someOf(
  importerPodName(DISK),
  importerPodName(DISK, 'first'),
  importerPodName(PRIME, 'second'),
  importerPodName(PRIME),
  uploadPodName(DISK),
  uploadPodName(TEMPORARY),
  uploadPodName(PRIME),
  copySourcePodName(DISK_UID),
  mountingPodName(uidOf('persistentvolumeclaim', TEMPORARY)),
);
export const snapshots = someOf(temporarySnapshotName(DISK_UID), 'own', 'other');
export const cloneSources = someOf('source', `volume-clone-source-${uidOf('datavolume', DISK)}`);
export const uploadSources = someOf('upload', `volume-upload-source-${uidOf('datavolume', DISK)}`);
export const importSources = someOf('image', `volume-import-source-${uidOf('datavolume', DISK)}`);

const beside = fc.constantFrom({ namespace: TEAM, name: 'own' }, { namespace: TEAM, name: 'other' });
/** What there is to clone; most of it is not the tenant's. */
export const elsewhere = fc.oneof(
  { arbitrary: fc.constant({ namespace: 'victim', name: 'secret' }), weight: 3 },
  { arbitrary: fc.constant({ namespace: 'golden', name: 'fedora' }), weight: 2 },
  { arbitrary: beside, weight: 2 },
);
const request = elsewhere.map(({ namespace, name }) => `${namespace}/${name}`);
const phase = someOf('Succeeded', 'Failed', 'Running', 'Pending');

/** One annotation, or two that make a difference only together. */
const annotation: fc.Arbitrary<Annotations> = fc.oneof(
  { arbitrary: request.map((value) => ({ [populationAnnotation.cloneRequest]: value })), weight: 3 },
  {
    arbitrary: request.map((value) => ({
      [populationAnnotation.cloneRequest]: value,
      [stateAnnotation.podPhase]: 'Succeeded',
    })),
    weight: 3,
  },
  { arbitrary: elsewhere.map(({ namespace }) => ({ [stateAnnotation.dataSourceNamespace]: namespace })), weight: 3 },
  fc.option(phase).map((value) => ({ [stateAnnotation.podPhase]: value })),
  someOf('Succeeded', 'Error', 'Pending').map((value) => ({ [stateAnnotation.clonePhase]: value })),
  fc
    .constantFrom(...cloneTypes)
    .map((value) => ({ [cloneBegunAnnotation]: DISK_UID, [stateAnnotation.cloneType]: value })),
  fc.constant({ [populationAnnotation.importSource]: 'none' }),
  fc.constant({ [populationAnnotation.importEndpoint]: 'http://server/disk.img' }),
  fc.constant({ [populationAnnotation.uploadTarget]: '' }),
  fc.constant({ [stateAnnotation.requiresScratch]: 'true' }),
  fc.constant({ [stateAnnotation.populatedFor]: DISK }),
  someOf('first', 'second', '../secret', 'x'.repeat(300)).map((value) => ({
    [populationAnnotation.importSource]: 'imageio',
    [stateAnnotation.checkpointCurrent]: value,
  })),
  someOf('first', 'second').map((value) => ({ [stateAnnotation.checkpointCurrent]: value })),
  someOf('first', 'second').map((value) => ({ [stateAnnotation.checkpointPrevious]: value })),
  someOf('true', 'false').map((value) => ({ [stateAnnotation.checkpointFinal]: value })),
  someOf(`pod.victim.${importerPodName('secret')}.1`, `pod.team.${importerPodName(DISK)}.1`).map((value) => ({
    [`${stateAnnotation.checkpointCopiedPrefix}.first`]: value,
  })),
  fc.constant({ [stateAnnotation.checkpointDone]: 'true' }),
  someOf('{}', '{"bytes":9e99}', 'no JSON').map((value) => ({ [transferCheckpointAnnotation]: value })),
  fc.constant({ [openTransferAnnotation]: 'https://engine.example/transfers/of-somebody' }),
  someOf('victim/secret', 'secret', PRIME).map((value) => ({ [stateAnnotation.populatorPvcPrime]: value })),
  someOf(importerPodName('own'), 'victim/importer-secret').map((value) => ({ [stateAnnotation.importPodName]: value })),
  someOf(DISK, 'own', 'victim/secret').map((value) => ({ [dataVolumeAnnotation.prePopulated]: value })),
  fc.constant({ [userAnnotation.usePopulator]: 'false' }),
  fc.constant({ [userAnnotation.allowClaimAdoption]: 'true' }),
  someOf(FOREIGN_UID, DISK_UID).map((value) => ({ [workForAnnotation]: value })),
  fc.constant({ [workForAnnotation]: null }),
  fc.constant({ [workForClaimAnnotation]: 'victim/secret' }),
  fc.constant({ [workSourceUidAnnotation]: FOREIGN_UID }),
);
/** Any that steer the controllers, also such as only they may write. */
export const annotations = fc
  .array(annotation, { maxLength: 3 })
  .map((all): Annotations => Object.fromEntries(all.flatMap((each) => Object.entries(each))));

const owner = (apiVersion: string, kind: string, name: string, uid: string): OwnerReference => {
  return { apiVersion, kind, name, uid, controller: true };
};
/** Of objects that there are, and of one that there is not. */
export const owners = fc.array(
  fc.constantFrom(
    owner(CDI_API_VERSION, 'DataVolume', DISK, uidOf('datavolume', DISK)),
    owner('v1', 'PersistentVolumeClaim', DISK, DISK_UID),
    owner('v1', 'PersistentVolumeClaim', 'secret', FOREIGN_UID),
    owner(CDI_API_VERSION, 'DataVolume', 'nowhere', 'invented'),
  ),
  { maxLength: 1 },
);
