import { expect } from 'chai';
import { configMaps, persistentVolumes } from '../../../src/kube/builtin-resources.ts';
import { keyFromString, keyOf, keyToString } from '../../../src/kube/key.ts';
import { resourcePath } from '../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';

describe('keys', () => {
  it('survive the way to text and back', () => {
    for (const key of [
      { namespace: 'default', name: 'one' },
      { namespace: '', name: 'system:one' },
    ]) {
      expect(keyFromString(keyToString(key))).to.deep.equal(key);
    }
  });

  it('are read from metadata', () => {
    expect(keyOf({ metadata: { namespace: 'a', name: 'b' } })).to.deep.equal({ namespace: 'a', name: 'b' });
    expect(keyOf({ metadata: { name: 'b' } })).to.deep.equal({ namespace: '', name: 'b' });
    expect(() => keyOf({ kind: 'Pod', metadata: { namespace: 'a' } })).to.throw('a Pod without metadata.name');
  });
});

describe('resourcePath', () => {
  it('follows the conventions of the API', () => {
    const at = { namespace: 'ns', name: 'one' };
    expect(resourcePath(configMaps)).to.equal('/api/v1/configmaps');
    expect(resourcePath(configMaps, at)).to.equal('/api/v1/namespaces/ns/configmaps/one');
    expect(resourcePath(volumeSnapshots, { ...at, subresource: 'status' })).to.equal(
      '/apis/snapshot.storage.k8s.io/v1/namespaces/ns/volumesnapshots/one/status',
    );
    expect(resourcePath(persistentVolumes, { namespace: '', name: 'pv' })).to.equal('/api/v1/persistentvolumes/pv');
  });
});
