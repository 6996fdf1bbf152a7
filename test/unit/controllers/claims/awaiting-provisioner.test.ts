import { expect } from 'chai';
import { isAwaitingProvisioner } from '../../../../src/controllers/claims/awaiting-provisioner.ts';
import { failureReport } from '../../../../src/controllers/transfers/failure-report.ts';
import { TerminalError, WaitingError } from '../../../../src/kube/errors.ts';

describe('a claim whose provisioner is still to be written on it', () => {
  const made = Date.parse('2026-01-01T00:00:00Z');
  const claim = (annotations = {}, spec = {}) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'a', namespace: 'b', creationTimestamp: new Date(made).toISOString(), annotations },
    spec,
  });

  it('is one that was made a moment ago', () => {
    expect(isAwaitingProvisioner(claim(), made + 1000)).to.equal(true);
  });

  it('is none that has it, or that none is for', () => {
    const named = claim({ 'volume.kubernetes.io/storage-provisioner': 'csi.example.org' });
    expect(isAwaitingProvisioner(named, made + 1000)).to.equal(false);
    expect(isAwaitingProvisioner(claim(), made + 10_000)).to.equal(false);
  });

  it('is not written to for that it waits, but for whatever else there is to say', () => {
    const provisioning = new WaitingError('Provisioning', 'being provisioned', { after: 1 });
    expect(failureReport(claim(), provisioning, made + 1000)).to.equal(undefined);
    expect(failureReport(claim(), provisioning, made + 10_000)).to.include({ reason: 'Provisioning' });
    expect(failureReport(claim(), new TerminalError('TooSmall', 'too small'), made)).to.include({ reason: 'TooSmall' });
  });
});
