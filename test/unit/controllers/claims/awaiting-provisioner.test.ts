import { expect } from 'chai';
import { isAwaitingProvisioner } from '../../../../src/controllers/claims/awaiting-provisioner.ts';
import { failureReport } from '../../../../src/controllers/transfers/failure-report.ts';
import { TerminalError, WaitingError } from '../../../../src/kube/errors.ts';
import { cachesOf } from '../caches.ts';

describe('a claim whose provisioner is still to be written on it', () => {
  const made = Date.parse('2026-01-01T00:00:00Z');
  const claim = (annotations = {}, spec = {}) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'a', namespace: 'b', creationTimestamp: new Date(made).toISOString(), annotations },
    spec: { storageClassName: 'fast', ...spec },
  });
  const caches = cachesOf({
    storageClasses: [
      { metadata: { name: 'fast' }, provisioner: 'csi.example.org' },
      { metadata: { name: 'static' }, provisioner: 'kubernetes.io/no-provisioner' },
    ],
  });
  const reportAt = (now: number, failure: Error) => failureReport({ caches, now: () => now }, claim(), failure);

  it('is one that was made a moment ago', () => {
    expect(isAwaitingProvisioner(claim(), caches, made + 1000)).to.equal(true);
  });

  it('is none that has it, or that none is for', () => {
    const named = claim({ 'volume.kubernetes.io/storage-provisioner': 'csi.example.org' });
    expect(isAwaitingProvisioner(named, caches, made + 1000)).to.equal(false);
    expect(isAwaitingProvisioner(claim(), caches, made + 20_000)).to.equal(false);
    expect(isAwaitingProvisioner(claim({}, { storageClassName: 'static' }), caches, made + 3000)).to.equal(false);
  });

  it('is not written to for that it waits, but for whatever else there is to say', () => {
    const provisioning = new WaitingError('Provisioning', 'being provisioned', { after: 1 });
    expect(reportAt(made + 1000, provisioning)).to.equal(undefined);
    const conflict = new WaitingError('ProvisioningFailed', 'Error saving claim', { after: 1 });
    expect(reportAt(made + 1000, conflict)).to.equal(undefined);
    expect(reportAt(made + 20_000, provisioning)).to.include({ reason: 'Provisioning' });
    expect(reportAt(made, new TerminalError('TooSmall', 'too small'))).to.include({ reason: 'TooSmall' });
  });
});
