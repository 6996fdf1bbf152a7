import { expect } from 'chai';
import { services } from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import type { UploadTokenClaims } from '../../../../src/protocol/upload-token.ts';
import { UploadServers } from '../../../../src/services/uploadproxy/upload-servers.ts';
import { rejection } from '../../../support/rejection.ts';

const token = { namespace: 'team', name: 'disk', uid: 'of-disk' } as UploadTokenClaims;

describe('the address of an upload server', () => {
  function serversBehind(clusterIP: string | undefined): UploadServers {
    const claim = { metadata: { uid: token.uid, annotations: { 'cdi.kubevirt.io/storage.upload.target': '' } } };
    const get = async ({ kind }: Resource<KubeObject>) => (kind === services.kind ? { spec: { clusterIP } } : claim);
    return new UploadServers({ get } as unknown as KubeClient, { client: undefined });
  }
  const find = (clusterIP: string | undefined) => serversBehind(clusterIP).find(token, new AbortController().signal);

  it('is that of its Service', async () => {
    for (const address of ['10.96.0.7', 'fd00::7']) expect(await find(address)).to.include({ host: address });
  });

  it('is waited for where the Service has none, also one of somebody’s that is not to have any', async () => {
    for (const address of [undefined, '', 'None']) {
      const refusal = await rejection(find(address));
      expect(refusal).to.include({ status: 503 });
      expect(refusal).to.have.property('message').that.includes('no Service team/cdi-upload-disk yet');
    }
  });
});
