import { expect } from 'chai';
import type { DataImportCron } from '../../../../src/api/data-import-cron.ts';
import { importOf } from '../../../../src/controllers/data-import-cron/objects.ts';
import { pinnedSource } from '../../../../src/controllers/data-import-cron/pinned-source.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const cron = (
  template: DataImportCron['spec']['template'],
  annotations: Record<string, string> = {},
): DataImportCron => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataImportCron',
  metadata: { namespace: 'golden', name: 'cron', uid: 'uid', annotations },
  spec: { template, schedule: '@daily', managedDataSource: 'fedora', importsToKeep: 3 },
});
const image = { name: 'fedora-abababababab', digest: DIGEST, storageClass: 'fast', isReadWriteOnce: false };

describe('the import of a DataImportCron', () => {
  it('names an image of a registry by its digest instead of its tag', () => {
    const urlOf = (url: string) =>
      pinnedSource(cron({ spec: { source: { registry: { url } } } }), DIGEST).registry?.url;
    expect(urlOf('docker://host:5000/a/b:latest')).to.equal(`docker://host:5000/a/b@${DIGEST}`);
    expect(urlOf('docker://host:5000/a/b')).to.equal(`docker://host:5000/a/b@${DIGEST}`);
    expect(urlOf(`docker://host/a@sha256:${'0'.repeat(64)}`)).to.equal(`docker://host/a@sha256:${'0'.repeat(64)}`);
    expect(urlOf('oci-archive:https://host/a.tar')).to.equal('oci-archive:https://host/a.tar');
  });

  it('pulls what an ImageStream names', () => {
    const registry = { imageStream: 'fedora:42', pullMethod: 'node' as const };
    const reference = { 'cdi.kubevirt.io/storage.import.imageStreamDockerRef': `host/fedora@${DIGEST}` };
    expect(pinnedSource(cron({ spec: { source: { registry } } }, reference), DIGEST)).to.deep.equal({
      registry: { url: `docker://host/fedora@${DIGEST}`, pullMethod: 'node' },
    });
  });

  it('has the labels and annotations of the template, but for those that steer the controllers', () => {
    const { metadata } = importOf(
      cron({
        metadata: {
          labels: { team: 'a', 'cdi.kubevirt.io/dataImportCron': 'another' },
          annotations: {
            note: 'kept',
            'cdi.kubevirt.io/storage.import.format': 'raw',
            'cdi.kubevirt.io/storage.deleteAfterCompletion': 'true',
            'cdi.kubevirt.io/storage.populatedFor': 'another',
          },
        },
        spec: { source: { http: { url: 'http://a/b' } } },
      }),
      image,
    );
    expect(metadata.labels).to.include({ team: 'a', 'cdi.kubevirt.io/dataImportCron': 'cron' });
    expect(metadata.annotations).to.deep.equal({
      note: 'kept',
      'cdi.kubevirt.io/storage.import.format': 'raw',
      'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
      'cdi.kubevirt.io/storage.import.storageClass': 'fast',
    });
  });

  it('is for one node at a time where the storage is better so, and the template does not say', () => {
    const of = (storage: object) =>
      importOf(cron({ spec: { source: { http: { url: 'http://a/b' } }, storage } }), {
        ...image,
        isReadWriteOnce: true,
      });
    expect(of({}).spec.storage?.accessModes).to.deep.equal(['ReadWriteOnce']);
    expect(of({ accessModes: ['ReadWriteMany'] }).spec.storage?.accessModes).to.deep.equal(['ReadWriteMany']);
  });
});
