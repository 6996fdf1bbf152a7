import { expect } from 'chai';
import { stateAnnotation } from '../../../src/api/annotations.ts';
import { cloneFallbackReasons } from '../../../src/api/clone.ts';
import type { DataImportCron } from '../../../src/api/data-import-cron.ts';
import type { DataSource } from '../../../src/api/data-source.ts';
import type { DataVolume, DataVolumeStatus } from '../../../src/api/data-volume.ts';
import { workForAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import { pendingReport, reportAnnotations } from '../../../src/controllers/transfers/transfer-report.ts';
import { adviceFor, meaningOfFallback } from '../../../src/dashboard/rows/advice.ts';
import { claimRow } from '../../../src/dashboard/rows/claim-row.ts';
import { dataVolumeRow } from '../../../src/dashboard/rows/data-volume-row.ts';
import { dataImportCronRow, dataSourceRow } from '../../../src/dashboard/rows/image-row.ts';
import { withoutLogin } from '../../../src/dashboard/rows/source-text.ts';
import type { PersistentVolumeClaim } from '../../../src/kube/builtin-resources.ts';
import { readPage } from '../../checks/docs/pages.ts';

const dataVolume = (status: DataVolumeStatus = {}, spec: DataVolume['spec'] = {}): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name: 'disk', namespace: 'team', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { source: { http: { url: 'https://server/disk.img' } }, ...spec },
  status,
});

const running = (status: 'True' | 'False', reason: string, message = 'it says so') => ({
  conditions: [{ type: 'Running' as const, status, reason, message }],
});

const claim = (annotations: Record<string, string>, more: Partial<PersistentVolumeClaim> = {}) =>
  ({
    spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'source' } },
    ...more,
    metadata: { name: 'disk', namespace: 'team', annotations, ...more.metadata },
  }) as PersistentVolumeClaim;

describe('the row of a DataVolume', () => {
  const stateOf = (status: DataVolumeStatus) => dataVolumeRow(dataVolume(status), undefined).state;

  it('has failed, waits, runs or is done', () => {
    expect(stateOf({ phase: 'Failed' })).to.equal('failed');
    expect(stateOf({ phase: 'Succeeded' })).to.equal('done');
    expect(stateOf({})).to.equal('waiting');
    expect(stateOf({ phase: 'WaitForFirstConsumer' })).to.equal('waiting');
    expect(stateOf({ phase: 'ImportScheduled', ...running('False', 'Unschedulable') })).to.equal('waiting');
    expect(stateOf({ phase: 'ImportScheduled', ...running('False', 'Pending') })).to.equal('running');
    expect(stateOf({ phase: 'ImportInProgress', ...running('True', 'Retrying') })).to.equal('running');
    expect(stateOf({ phase: 'CSICloneInProgress' })).to.equal('running');
  });

  it('says why it is as it is, and how far it has come, until it is done', () => {
    const row = dataVolumeRow(
      dataVolume({ phase: 'Failed', progress: '45.20%', ...running('False', 'NoSpace') }),
      undefined,
    );
    expect(row).to.deep.include({ percent: 45.2, why: { reason: 'NoSpace', message: 'it says so' } });
    const done = dataVolumeRow(
      dataVolume({ phase: 'Succeeded', progress: '100.0%', ...running('False', 'Completed') }),
      undefined,
    );
    expect([done.percent, done.why]).to.deep.equal([undefined, undefined]);
  });

  it('has the rate, the plan and the fall-back of its own claim, and of no other', () => {
    const annotations = {
      ...reportAnnotations({
        ...pendingReport(0, { reason: 'TransferRunning', message: '' }),
        running: true,
        bytesPerSecond: 5,
      }),
      [stateAnnotation.cloneFallbackReason]: 'NoPopulator',
      'cdi.kubevirt.io/clone.plan': 'copy it',
    };
    const own = { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'DataVolume', name: 'disk', uid: 'u' }] } };
    const { details } = dataVolumeRow(dataVolume(), claim({}, { metadata: { ...own.metadata, annotations } }));
    expect(details).to.deep.include({ bytesPerSecond: 5, plan: 'copy it', fallback: 'NoPopulator' });
    expect(dataVolumeRow(dataVolume(), claim(annotations)).details).to.equal(undefined);
  });

  it('says where the data comes from, without logins', () => {
    const sourceOf = (spec: DataVolume['spec']) => dataVolumeRow(dataVolume({}, spec), undefined).source;
    expect(sourceOf({ source: { pvc: { namespace: 'golden', name: 'fedora' } } })).to.equal('golden/fedora');
    expect(sourceOf({ source: { pvc: { namespace: 'team', name: 'fedora' } } })).to.equal('fedora');
    expect(sourceOf({ source: { snapshot: { namespace: 'team', name: 's' } } })).to.equal('VolumeSnapshot s');
    expect(sourceOf({ source: { blank: {} } })).to.equal('blank disk');
    expect(sourceOf({ source: { upload: {} } })).to.equal('');
    expect(withoutLogin('https://user:pass@server/disk?token=1#x')).to.equal('https://server/disk');
    expect(withoutLogin('s3://bucket/a@b')).to.equal('s3://bucket/a@b');
  });

  it('is deleted once that is asked for', () => {
    const { metadata, ...rest } = dataVolume({ phase: 'ImportInProgress' });
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(dataVolumeRow(deleted, undefined)).to.deep.include({ phase: 'Terminating', state: 'waiting' });
  });
});

describe('the row of a claim', () => {
  it('is that of a claim which is filled without a DataVolume', () => {
    expect(claimRow(claim({ [stateAnnotation.clonePhase]: 'HostClone' }))).to.deep.include({
      kind: 'clone',
      state: 'running',
      phase: 'HostClone',
      source: 'source',
    });
    const upload = claim({ 'cdi.kubevirt.io/storage.upload.target': '' }, { spec: {} });
    expect(claimRow(upload)).to.deep.include({ kind: 'upload', state: 'waiting' });
    const failed = { ...pendingReport(0, { reason: 'NotFound', message: 'gone' }), podPhase: 'Failed' as const };
    const direct = claim(
      { 'cdi.kubevirt.io/storage.import.endpoint': 'https://a:b@c/d', ...reportAnnotations(failed) },
      { spec: {} },
    );
    expect(claimRow(direct)).to.deep.include({ kind: 'import', state: 'failed', source: 'https://c/d' });
  });

  it('is none for other claims, working claims, and those of DataVolumes', () => {
    expect(claimRow(claim({}, { spec: {} }))).to.equal(undefined);
    expect(claimRow(claim({ [workForAnnotation]: 'u' }))).to.equal(undefined);
    const ownerReferences = [{ apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'disk', uid: 'u' }];
    expect(claimRow(claim({}, { metadata: { name: 'disk', ownerReferences } }))).to.equal(undefined);
  });
});

describe('the row of an image', () => {
  const cron = (conditions: object[]) =>
    dataImportCronRow({
      metadata: { name: 'fedora', namespace: 'golden' },
      spec: { template: { spec: { source: { registry: { url: 'docker://quay.io/fedora' } } } } },
      status: { conditions, currentImports: [{ DataVolumeName: 'a', Digest: 'sha256:1' }] },
    } as unknown as DataImportCron);

  it('is up to date, being imported, waits, or has failed', () => {
    const upToDate = (status: string, reason = '') => ({ type: 'UpToDate', status, reason, message: 'm' });
    expect(cron([upToDate('True')])).to.deep.include({ state: 'done', why: { reason: '', message: 'sha256:1' } });
    expect(cron([upToDate('False'), { type: 'Progressing', status: 'True' }]).state).to.equal('running');
    expect(cron([upToDate('False', 'ImportFailed')])).to.deep.include({ state: 'failed', phase: 'ImportFailed' });
    expect(cron([upToDate('True', 'PollFailed')])).to.deep.include({ state: 'waiting', phase: 'PollFailed' });
    expect(cron([]).state).to.equal('waiting');
  });

  it('says what a DataSource stands for, and why it is not ready', () => {
    const dataSource = (status: string) =>
      dataSourceRow({
        metadata: { name: 'fedora', namespace: 'golden' },
        spec: { source: { snapshot: { namespace: 'golden', name: 'fedora-1' } } },
        status: { conditions: [{ type: 'Ready', status, reason: 'NotFound', message: 'm' }] },
      } as unknown as DataSource);
    expect(dataSource('True')).to.deep.include({ state: 'done', source: 'VolumeSnapshot fedora-1' });
    expect(dataSource('False')).to.deep.include({ state: 'waiting', why: { reason: 'NotFound', message: 'm' } });
  });
});

describe('what to do', () => {
  it('is what the table of reasons says, without links', () => {
    expect(adviceFor('Unauthorized')).to.contain('`secretRef`').and.not.contain('](');
    expect(adviceFor('UnsupportedImage')).to.contain('Formats has every message');
    expect(adviceFor('TransferRunning')).to.equal(undefined);
    expect(adviceFor('whatever')).to.equal(undefined);
  });

  it('has the meaning of every fall-back that docs/cloning.md has', () => {
    const page = JSON.stringify(readPage('docs/cloning.md'));
    for (const reason of cloneFallbackReasons) expect(meaningOfFallback(reason)).not.to.equal(reason);
    expect(page).to.contain(meaningOfFallback('NoVolumeExpansion'));
    expect(meaningOfFallback('<b>')).to.equal('<b>');
  });
});
