import { populationAnnotation, stateAnnotation, userAnnotation } from '../../../../src/api/annotations.ts';
import type { CloneType } from '../../../../src/api/clone.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import { scratchClaimName, uploadPodName } from '../../../../src/protocol/object-names.ts';
import type { Action } from './actions.ts';
import { FREE_VOLUME, TEAM } from './installation.ts';
import type { Beginning } from './tenant.ts';
import { DISK, FOREIGN_UID, PRIME, TEMPORARY } from './writings.ts';

/** With the clone strategy of the storage, what the tenant begins with, and what it does then. */
export type Attack = readonly [CloneType, Beginning, readonly Action[]];

const own = { source: { pvc: { namespace: TEAM, name: 'own' } } };
const cloneRequest = { [populationAnnotation.cloneRequest]: 'victim/secret' };
const isOver = { [stateAnnotation.podPhase]: 'Succeeded' };
const directly = { [userAnnotation.usePopulator]: 'false' };
const dataVolume = { apiVersion: CDI_API_VERSION, kind: 'DataVolume', name: DISK, uid: `datavolume.${TEAM}.${DISK}.1` };

/** Histories that once broke the law, or that a check prevents which others do not need. */
export const knownAttacks: Readonly<Record<string, Attack>> = {
  'an annotation of a DataVolume, for the controllers to copy to its claim': [
    'copy',
    { spec: own, annotations: { ...directly, ...cloneRequest }, rounds: 4 },
    [],
  ],
  'a claim that somebody else makes for the tenant, which is said to be a DataVolume’s': [
    'copy',
    { spec: own, annotations: {}, rounds: 1 },
    [
      { delete: DISK, kind: 'claim' },
      { make: 'claim', name: DISK, annotations: cloneRequest, owners: [{ ...dataVolume, controller: true }] },
    ],
  ],
  'another source for a claim than its DataVolume’s': [
    'copy',
    { spec: own, annotations: directly, rounds: 1 },
    [{ annotate: DISK, kind: 'claim', annotations: cloneRequest }],
  ],
  'a working claim that calls the victim’s volume its own, and itself complete': [
    'copy',
    { spec: { source: { blank: {} } }, annotations: {}, rounds: 2, pace: 'late Kubernetes' },
    [
      { forge: PRIME, volumeName: `pv-${FOREIGN_UID}`, annotations: isOver },
      { rounds: 4, pace: 'late Kubernetes' },
    ],
  ],
  'a working claim that takes a volume which an administrator has made, and then goes': [
    'copy',
    { spec: { source: { blank: {} } }, annotations: {}, rounds: 2, pace: 'late Kubernetes' },
    [
      { forge: PRIME, volumeName: FREE_VOLUME, annotations: {} },
      { rounds: 2 },
      { delete: DISK, kind: 'data-volume' },
      { delete: PRIME, kind: 'claim' },
    ],
  ],
  'a claim that calls the victim’s volume its own, and then goes': [
    'csi-clone',
    { spec: own, annotations: {}, rounds: 1 },
    [
      { forge: DISK, volumeName: `pv-${FOREIGN_UID}`, annotations: {} },
      { rounds: 1, pace: 'late Kubernetes' },
      { delete: DISK, kind: 'claim' },
      { rounds: 4, pace: 'late Kubernetes' },
    ],
  ],
  'a source that calls the victim’s volume its own': [
    'csi-clone',
    { spec: { source: { pvc: { namespace: TEAM, name: 'other' } } }, annotations: {}, rounds: 0 },
    [
      { make: 'claim', name: 'other', annotations: {}, owners: [] },
      { forge: 'other', volumeName: `pv-${FOREIGN_UID}`, annotations: {} },
      { rounds: 4, pace: 'late Kubernetes' },
    ],
  ],
  'a claim with the name of a scratch claim': [
    'copy',
    { spec: { source: { blank: {} } }, annotations: directly, rounds: 0 },
    [{ make: 'claim', name: scratchClaimName(DISK), annotations: {}, owners: [] }],
  ],
  'a working claim, which has the controllers’ mark, with a source that they have not written': [
    'copy',
    { spec: own, annotations: {}, rounds: 2 },
    [{ annotate: TEMPORARY, kind: 'claim', annotations: cloneRequest }],
  ],
  'the same as if it were complete, just before the controllers tell that it is not': [
    'copy',
    { spec: own, annotations: {}, rounds: 3 },
    [
      { annotate: TEMPORARY, kind: 'claim', annotations: { ...cloneRequest, ...isOver } },
      { rounds: 1, pace: 'late watches' },
      { delete: uploadPodName(TEMPORARY), kind: 'pod' },
    ],
  ],
};
