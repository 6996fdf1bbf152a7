import { expect } from 'chai';
import { createPods } from '../../../../../src/controllers/clone/copy/create-pods.ts';
import { hostCloneKeys } from '../../../../../src/controllers/clone/copy/objects.ts';
import type { CloneSource } from '../../../../../src/controllers/clone/source/source.ts';
import { onePodGivenUpAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import { ConfigView } from '../../../../../src/controllers/runtime/config-view.ts';
import { type PersistentVolumeClaim, pods } from '../../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../../caches.ts';
import { SimulatedApi } from '../../world/api.ts';
import { SimulatedClient } from '../../world/client.ts';

describe('the pods of a copy that the cache does not know yet', () => {
  const claimWith = (annotations: Record<string, string>): PersistentVolumeClaim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'team', name: 'copy', uid: 'of-copy', annotations },
    spec: { resources: { requests: { storage: '1Gi' } } },
  });
  const source = {
    kind: 'PersistentVolumeClaim',
    key: { namespace: 'team', name: 'golden' },
    uid: 'of-golden',
    volumeMode: 'Filesystem',
  } as unknown as CloneSource;

  it('get no second reader beside the one that has both volumes', async () => {
    const api = new SimulatedApi(
      () => undefined,
      () => 0,
    );
    const caches = cachesOf({});
    const context = {
      caches,
      client: new SimulatedClient(api, 'controllers').asKubeClient(),
      config: new ConfigView(caches, { image: 'diskpress', namespace: 'cdi' }),
      events: { event: () => undefined },
      now: () => 0,
    };
    const create = (claim: PersistentVolumeClaim) =>
      createPods(context as never, {
        claim,
        keys: hostCloneKeys(claim, 'team'),
        source,
        ranges: {},
        restarts: 0,
        isFresh: true,
      });
    expect(await create(claimWith({}))).to.equal('The pod with both volumes is starting');
    const again = await create(claimWith({ [onePodGivenUpAnnotation]: 'true' }));
    expect(again).to.equal('The pod with both volumes is starting');
    expect(api.list(pods).map(({ metadata }) => metadata?.name)).to.deep.equal(['cdi-upload-copy']);
  });
});
