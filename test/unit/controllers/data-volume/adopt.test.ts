import { expect } from 'chai';
import type { DataVolume } from '../../../../src/api/data-volume.ts';
import { requireAdoptable } from '../../../../src/controllers/data-volume/adopt.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';

const key = { namespace: 'team-a', name: 'vm' };
const dataVolume = (annotations: Record<string, string> = {}, storage: object = {}): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { ...key, uid: 'dv', annotations },
  spec: { source: { blank: {} }, storage },
});
const claim = (metadata: PersistentVolumeClaim['metadata'] = {}): PersistentVolumeClaim => ({
  metadata: { ...key, ...metadata },
  spec: { volumeMode: 'Block' },
  status: { capacity: { storage: '2Gi' } },
});
const allowed = { 'cdi.kubevirt.io/allowClaimAdoption': 'true' };
const owner = { apiVersion: 'v1', kind: 'Other', name: 'x', uid: 'x', controller: true };

describe('a claim that exists before its DataVolume', () => {
  it('is taken over where the DataVolume, the configuration or the claim says so', () => {
    requireAdoptable(dataVolume(allowed), claim(), false);
    requireAdoptable(dataVolume(), claim(), true);
    requireAdoptable(dataVolume(), claim({ annotations: { 'cdi.kubevirt.io/storage.populatedFor': 'vm' } }), false);
  });

  const refused: readonly [string, () => unknown, string, RegExp][] = [
    [
      'unless that was asked for',
      () => requireAdoptable(dataVolume(), claim(), false),
      'ErrResourceExists',
      /annotate/,
    ],
    [
      'where the DataVolume says no',
      () => requireAdoptable(dataVolume({ 'cdi.kubevirt.io/allowClaimAdoption': 'false' }), claim(), true),
      'ErrResourceExists',
      /exists already/,
    ],
    [
      "where it is somebody else's",
      () => requireAdoptable(dataVolume(allowed), claim({ ownerReferences: [owner] }), false),
      'ErrResourceExists',
      /does not belong/,
    ],
    [
      'where it is being deleted',
      () => requireAdoptable(dataVolume(allowed), claim({ deletionTimestamp: '2026-01-01T00:00:00Z' }), false),
      'ErrResourceExists',
      /exists already/,
    ],
    [
      'where it has another volume mode',
      () => requireAdoptable(dataVolume(allowed, { volumeMode: 'Filesystem' }), claim(), false),
      'ErrIncompatiblePVC',
      /is a Block volume/,
    ],
    [
      'where it is too small',
      () => requireAdoptable(dataVolume(allowed, { resources: { requests: { storage: '3Gi' } } }), claim(), false),
      'ErrIncompatiblePVC',
      /it has 2Gi.*asks for 3Gi/,
    ],
  ];
  for (const [when, work, reason, message] of refused) {
    it(`is not taken over ${when}`, () => {
      expect(work).to.throw(message).with.property('reason', reason);
    });
  }
});
