import { expect } from 'chai';
import { populationAnnotation, stateAnnotation } from '../../../../src/api/annotations.ts';
import type { DataVolume, DataVolumeStatus } from '../../../../src/api/data-volume.ts';
import { claimState } from '../../../../src/cli/upload/claim-target.ts';
import { dataVolumeState } from '../../../../src/cli/upload/data-volume-target.ts';

describe('how far the target of an upload is', () => {
  const dataVolume = (status?: DataVolumeStatus): DataVolume => ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: 'vm', namespace: 'team' },
    spec: { source: { upload: {} }, storage: {} },
    ...(status ? { status } : {}),
  });
  const claim = (annotations: Record<string, string>, phase?: string) =>
    claimState({ metadata: { name: 'vm', annotations }, ...(phase ? { status: { phase } } : {}) });

  it('is said by the phase of a DataVolume', () => {
    const stage = (phase: DataVolumeStatus['phase']) => dataVolumeState(dataVolume({ phase })).stage;
    expect(stage('UploadScheduled')).to.equal('preparing');
    expect(stage('UploadReady')).to.equal('ready');
    expect(stage('WaitForFirstConsumer')).to.equal('unconsumed');
    expect(stage('PendingPopulation')).to.equal('unconsumed');
    expect(stage('Succeeded')).to.equal('succeeded');
    expect(stage('Failed')).to.equal('failed');
    expect(dataVolumeState(dataVolume())).to.deep.equal({
      stage: 'preparing',
      message: 'no controller has seen it yet',
      claimName: 'vm',
    });
  });

  it('comes with what a condition of a DataVolume says that is not met', () => {
    const conditions: DataVolumeStatus['conditions'] = [
      { type: 'Bound', status: 'False', message: 'no volume' },
      { type: 'Running', status: 'True', message: 'running' },
    ];
    expect(dataVolumeState(dataVolume({ phase: 'UploadScheduled', conditions })).message).to.equal('no volume');
    expect(dataVolumeState(dataVolume({ phase: 'UploadScheduled' })).message).to.equal('UploadScheduled');
  });

  it('names the claim of a DataVolume', () => {
    expect(dataVolumeState(dataVolume({ phase: 'UploadReady', claimName: 'other' })).claimName).to.equal('other');
  });

  it('is said by the annotations of a claim', () => {
    const target = { [populationAnnotation.uploadTarget]: '' };
    expect(claim(target, 'Pending')).to.deep.equal({
      stage: 'preparing',
      message: 'the claim is Pending',
      claimName: 'vm',
    });
    const running = { ...target, [stateAnnotation.podPhase]: 'Running', [stateAnnotation.podReady]: 'false' };
    const why = { [stateAnnotation.conditionRunningMessage]: 'no node has room' };
    expect(claim({ ...running, ...why })).to.include({ stage: 'preparing', message: 'no node has room' });
    expect(claim({ ...running, [stateAnnotation.podReady]: 'true' }).stage).to.equal('ready');
    expect(claim({ ...running, [stateAnnotation.podPhase]: 'Succeeded' }).stage).to.equal('succeeded');
    expect(claim({ ...running, [stateAnnotation.podPhase]: 'Failed' }).stage).to.equal('failed');
  });
});
