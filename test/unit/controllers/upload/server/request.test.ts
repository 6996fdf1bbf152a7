import { expect } from 'chai';
import { populationAnnotation, stateAnnotation } from '../../../../../src/api/annotations.ts';
import { transferCheckpointAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import { ConfigView } from '../../../../../src/controllers/runtime/config-view.ts';
import { uploadAnnotations } from '../../../../../src/controllers/upload/server/annotations.ts';
import { isUploadClaim, uploadRequestOf } from '../../../../../src/controllers/upload/server/request.ts';
import { uploadServerPod } from '../../../../../src/controllers/upload/server/upload-server-pod.ts';
import type { PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import { uploadRequest } from '../../../../../src/protocol/transfer-pod.ts';
import { cachesOf } from '../../caches.ts';

const asked = uploadAnnotations({ contentType: 'archive', preallocation: true });

const config = new ConfigView(cachesOf({}), { image: 'diskpress', namespace: 'cdi' });

const claimWith = (
  annotations: Record<string, string>,
  spec: NonNullable<PersistentVolumeClaim['spec']> = {},
): PersistentVolumeClaim => ({ metadata: { namespace: 'team', name: 'disk', uid: 'of-disk', annotations }, spec });

describe('a claim that is uploaded into', () => {
  it('has the annotation that asks for that, whatever its value', () => {
    expect(isUploadClaim(claimWith(asked))).to.equal(true);
    expect(isUploadClaim(claimWith({ [populationAnnotation.uploadTarget]: 'false' }))).to.equal(true);
    expect(isUploadClaim(claimWith({}))).to.equal(false);
  });

  it('is not filled in another way', () => {
    const dataSourceRef = { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeUploadSource', name: 'source' };
    expect(isUploadClaim(claimWith(asked, { dataSourceRef }))).to.equal(false);
    const { importSource, importEndpoint, cloneRequest } = populationAnnotation;
    for (const name of [importSource, importEndpoint, cloneRequest])
      expect(isUploadClaim(claimWith({ ...asked, [name]: 'x' })), name).to.equal(false);
  });

  it('is described to the pod, with what an earlier pod has left', () => {
    const requests = { storage: '1Gi' };
    const claim = claimWith(
      { ...asked, [transferCheckpointAnnotation]: 'so far', [stateAnnotation.requiresScratch]: 'true' },
      { volumeMode: 'Block', resources: { requests } },
    );
    const request = uploadRequestOf(claim, config);
    expect(uploadRequest.parse(request)).to.deep.equal({
      target: {
        volumeMode: 'Block',
        capacity: 2 ** 30,
        filesystemOverhead: 0,
        preallocation: true,
        contentType: 'archive',
      },
      scratch: true,
      checkpoint: 'so far',
    });
    const owner = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk', uid: 'of-disk' };
    const { spec } = uploadServerPod(claim, request, { owner, restarts: 0 }, config.transferSettings);
    const mounted = spec?.volumes?.map(({ persistentVolumeClaim, secret }) => persistentVolumeClaim ?? secret);
    expect(mounted).to.deep.include.members([
      { claimName: 'disk' },
      { claimName: 'disk-scratch' },
      { secretName: 'cdi-transfer-of-disk', defaultMode: 0o440 },
    ]);
  });
});
