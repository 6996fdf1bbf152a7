import { expect } from 'chai';
import { stateAnnotation } from '../../../../src/api/annotations.ts';
import type { DataVolume } from '../../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import { Reporting } from '../../../../src/controllers/data-volume/reporting.ts';
import { cloneBegunAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { pendingReport, reportAnnotations } from '../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import { cachesOf } from '../caches.ts';

const MADE = Date.parse('2026-01-01T00:00:00Z');
const pvc = { namespace: 'golden', name: 'image' };

describe('when a DataVolume with a new claim is reported', () => {
  const caches = cachesOf({ storageClasses: [{ metadata: { name: 'fast' }, provisioner: 'csi.example' }] });
  const dataVolume = (name = 'disk', source: object = { pvc }): DataVolume => ({
    apiVersion: CDI_API_VERSION,
    kind: 'DataVolume',
    metadata: { namespace: 'team', name, uid: `of-${name}` },
    spec: { source, pvc: {} },
  });
  const claim = (annotations: Record<string, string> = {}): PersistentVolumeClaim => ({
    metadata: {
      namespace: 'team',
      name: 'disk',
      uid: 'u',
      creationTimestamp: new Date(MADE).toISOString(),
      annotations,
    },
    spec: { storageClassName: 'fast', dataSourceRef: { kind: 'VolumeCloneSource', name: 'of-disk' } },
  });
  const begun = (cloneType: string) => claim({ [cloneBegunAnnotation]: 'u', [stateAnnotation.cloneType]: cloneType });
  const until = (
    about: PersistentVolumeClaim,
    { age = 100, source = { pvc } }: { age?: number; source?: object } = {},
  ) => new Reporting(caches, () => MADE + age).untilWorthwhile(dataVolume('disk', source), about);

  it('is in a moment, where the storage clones or nobody knows yet who does', () => {
    for (const each of [claim(), begun('csi-clone'), begun('snapshot')]) {
      expect(until(each)).to.equal(1_400);
      expect(until(each, { age: 1_500 })).to.equal(0);
    }
  });

  it('is at once, where the data has to be copied or imported', () => {
    expect(until(begun('copy'))).to.equal(0);
    expect(until(claim(), { source: { http: { url: 'http://images.example/disk' } } })).to.equal(0);
  });

  it('is at once, where there is trouble', () => {
    const trouble = pendingReport(0, { reason: 'ErrExceededQuota', message: 'no room' });
    expect(until(claim(reportAnnotations(trouble)))).to.equal(0);
  });

  it('is later, the more of them there are, for all of them, and soon again once they are reported or gone', () => {
    const reporting = new Reporting(caches, () => MADE + 100);
    const names = Array.from({ length: 1_000 }, (_, index) => `disk-${index}`);
    for (const name of names) reporting.untilWorthwhile(dataVolume(name), claim());
    expect(reporting.untilWorthwhile(dataVolume(), claim())).to.be.greaterThan(40_000);
    for (const name of names.slice(500)) reporting.forget({ namespace: 'team', name });
    expect(reporting.untilWorthwhile(dataVolume(), claim())).to.be.greaterThan(40_000);
    reporting.forget(keyOf(dataVolume()));
    for (const name of names.slice(0, 500)) {
      reporting.untilWorthwhile(dataVolume(name), {
        ...claim(),
        spec: { volumeName: 'volume' },
        status: { phase: 'Bound' },
      });
    }
    expect(reporting.untilWorthwhile(dataVolume(), claim())).to.equal(1_400);
  });
});
