import { expect } from 'chai';
import {
  promisedToAnnotation,
  promisedToClaimAnnotation,
  retainedForAnnotation,
  retainedForClaimAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../../../../src/controllers/objects/internal-annotations.ts';
import { orphans } from '../../../../src/controllers/orphans/setup.ts';
import type { ControllerOptions } from '../../../../src/kube/controller.ts';
import { keyToString } from '../../../../src/kube/key.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { cachesOf } from '../caches.ts';

type Listener = (change: { object: KubeObject; previous?: KubeObject }) => void;

const claim = (uid: string) => ({ metadata: { namespace: 'team', name: 'disk', uid } });
const made = (annotations: Record<string, string>) => ({ metadata: { namespace: 'team', name: 'made', annotations } });
const namings = {
  'is made for it': [workForClaimAnnotation, workForAnnotation],
  'is promised to it': [promisedToClaimAnnotation, promisedToAnnotation],
  'is retained for it': [retainedForClaimAnnotation, retainedForAnnotation],
} as const;

describe('when it is looked for orphans of a claim', () => {
  /** @returns the claims that are looked at when an object of a cache is told to have changed */
  function lookedAt(kind: 'claims' | 'pods' | 'volumes', object: KubeObject, contents: Parameters<typeof cachesOf>[0]) {
    const caches = cachesOf(contents);
    const listeners = new Map<unknown, Listener>();
    for (const cache of Object.values(caches) as { onChange?: (listener: Listener) => void }[]) {
      cache.onChange = (listener) => void listeners.set(cache, listener);
    }
    const found: string[] = [];
    const addController = (_: unknown, { watches }: ControllerOptions) => {
      for (const watch of watches) watch.attach((key) => found.push(keyToString(key)));
    };
    orphans.setup({ addController } as never, { caches } as never);
    found.length = 0;
    listeners.get(caches[kind])?.({ object });
    return found;
  }

  for (const [what, [naming, identifying]] of Object.entries(namings)) {
    const object = made({ [naming]: 'team/disk', [identifying]: 'of-disk' });
    it(`is when something changes that ${what}, and it is gone or another one`, () => {
      for (const kind of ['pods', 'volumes'] as const) {
        expect(lookedAt(kind, object, {})).to.deep.equal(['team/disk']);
        expect(lookedAt(kind, object, { claims: [claim('of-another')] })).to.deep.equal(['team/disk']);
        expect(lookedAt(kind, object, { claims: [claim('of-disk')] })).to.deep.equal([]);
      }
    });
  }

  it('is when it goes, and something was made for it', () => {
    const pods = [made({ [workForClaimAnnotation]: 'team/disk', [workForAnnotation]: 'of-disk' })];
    expect(lookedAt('claims', claim('of-disk'), { pods })).to.deep.equal(['team/disk']);
    expect(lookedAt('claims', claim('of-disk'), { pods, claims: [claim('of-another')] })).to.deep.equal(['team/disk']);
    expect(lookedAt('claims', claim('of-disk'), { pods, claims: [claim('of-disk')] })).to.deep.equal([]);
    expect(lookedAt('claims', claim('of-disk'), {})).to.deep.equal([]);
  });
});
