import { expect } from 'chai';
import { QuotaRoom } from '../../../../src/controllers/data-volume/quota-room.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolumeClaim, ResourceQuota } from '../../../../src/kube/builtin-resources.ts';
import type { Store } from '../../../../src/kube/store.ts';
import { cachesOf } from '../caches.ts';

const GIBIBYTE = 2 ** 30;
const CLASS = 'fast';
const key = { namespace: 'team', name: 'disk' };
const other = { namespace: 'team', name: 'other' };
const counted = (namespace = 'team', storageClassName = CLASS) => ({ namespace, storageClassName, bytes: GIBIBYTE });

const quota = (hard: Record<string, string>, spec: ResourceQuota['spec'] = {}): ResourceQuota => ({
  metadata: { namespace: 'team', name: 'quota' },
  spec: { hard, ...spec },
});
const claim = (name: string, storageClassName = CLASS): PersistentVolumeClaim => ({
  metadata: { namespace: 'team', name, uid: `of-${name}` },
  spec: { storageClassName, resources: { requests: { storage: '1Gi' } } },
});

function roomIn(quotas: ResourceQuota[], claims: PersistentVolumeClaim[] = []) {
  const caches = cachesOf({ quotas, claims });
  const store = caches.claims as unknown as Store<PersistentVolumeClaim>;
  const clock = { now: 0 };
  return { room: new QuotaRoom(caches, () => clock.now), store, clock };
}

describe('the room that quotas have for a claim and the one that it is filled from', () => {
  const limits: Record<string, readonly [enough: string, short: string]> = {
    persistentvolumeclaims: ['2', '1'],
    'count/persistentvolumeclaims': ['2', '1'],
    'requests.storage': ['2Gi', '1Gi'],
    'fast.storageclass.storage.k8s.io/persistentvolumeclaims': ['2', '1'],
    'fast.storageclass.storage.k8s.io/requests.storage': ['2Gi', '2047Mi'],
  };
  for (const [resource, [enough, short]] of Object.entries(limits)) {
    it(`is told by ${resource}`, () => {
      expect(roomIn([quota({ [resource]: enough })]).room.lackFor(key, counted(), counted())).to.equal(undefined);
      const { room } = roomIn([quota({ [resource]: short })]);
      expect(room.lackFor(key, counted(), counted())).to.contain(`"quota" of namespace "team" (${resource}: ${short})`);
      const full = roomIn([quota({ [resource]: enough })], [claim('there')]);
      expect(full.room.lackFor(key, counted(), counted())).to.contain(resource);
    });
  }

  it('is not told by quotas of other classes, other namespaces and other things, nor by those with scopes', () => {
    const { room } = roomIn([
      quota({ 'slow.storageclass.storage.k8s.io/persistentvolumeclaims': '0', pods: '0', 'requests.cpu': '0' }),
      quota({ persistentvolumeclaims: '0' }, { scopes: ['BestEffort'] }),
    ]);
    expect(room.lackFor(key, counted(), counted())).to.equal(undefined);
    const elsewhere = roomIn([quota({ persistentvolumeclaims: '0' })]).room;
    expect(elsewhere.lackFor({ ...key, namespace: 'else' }, counted('else'), counted('else'))).to.equal(undefined);
  });

  it('is asked of the namespace of the working claim, where that is another one', () => {
    const { room } = roomIn([quota({ persistentvolumeclaims: '1' })], [claim('golden')]);
    expect(room.lackFor({ namespace: 'else', name: 'disk' }, counted('else'), counted())).to.contain('has no room');
    const free = roomIn([quota({ persistentvolumeclaims: '2' })], [claim('golden')]).room;
    expect(free.lackFor({ namespace: 'else', name: 'disk' }, counted('else'), counted())).to.equal(undefined);
  });

  it('is not counted on twice by DataVolumes that come together', () => {
    const { room, store, clock } = roomIn([quota({ persistentvolumeclaims: '3' })]);
    expect(room.lackFor(other, counted(), counted())).to.equal(undefined);
    room.reserve(other, { target: counted(), working: counted() });
    expect(room.lackFor(key, counted(), counted())).to.contain('has no room');
    expect(room.lackFor(other, counted(), counted()), 'asked once more').to.equal(undefined);
    // Seen with its working claim, it counts as what there is.
    store.set(claim('other'));
    store.set({
      ...claim('prime'),
      metadata: { ...claim('prime').metadata, annotations: { [workForAnnotation]: 'of-other' } },
    });
    expect(room.lackFor(key, counted(), counted())).to.contain('has no room');
    store.delete(other);
    store.delete({ ...other, name: 'prime' });
    clock.now += 60_000;
    expect(room.lackFor(key, counted(), counted())).to.equal(undefined);
  });
});
