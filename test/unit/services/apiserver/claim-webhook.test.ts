import { expect } from 'chai';
import fc from 'fast-check';
import type { ObjectKey } from '../../../../src/kube/key.ts';
import { type KubeObject, type Resource, resourcePath } from '../../../../src/kube/resource.ts';
import { ClaimRendering } from '../../../../src/services/apiserver/claim-rendering.ts';
import { ClaimWebhook } from '../../../../src/services/apiserver/claim-webhook.ts';
import { StatusError } from '../../../../src/services/apiserver/status-error.ts';
import { rejection } from '../../../support/rejection.ts';

const informer = () => ({ get: () => undefined, list: () => [] });
const client = {
  get: async (resource: Resource<KubeObject>, key: ObjectKey) => void resourcePath(resource, key),
};
const webhook = new ClaimWebhook(new ClaimRendering({ client, informer } as never), 'controllers');

const LABEL = { 'cdi.kubevirt.io/applyStorageProfile': 'true' };
const review = (object: unknown, more: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: '1', operation: 'CREATE', namespace: 'team', userInfo: { username: 'user' }, object, ...more },
});

describe('the review of a claim', () => {
  it('is refused as a bad request where it is none, whatever is wrong with it', async () => {
    const claim = (spec: unknown) => review({ metadata: { labels: LABEL }, spec });
    for (const body of [
      undefined,
      [],
      { kind: 'AdmissionReview' },
      review(5),
      review({ metadata: { labels: 'none' } }),
      claim([]),
      claim({ accessModes: 'ReadWriteOnce' }),
      claim({ storageClassName: 5 }),
      claim({ resources: { requests: { storage: 'much' } } }),
      claim({ dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource' } }),
      claim({ dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: '..' } }),
      review(null, { userInfo: 'user' }),
      review(null, { namespace: undefined }),
    ])
      expect(await rejection(webhook.review(body)), JSON.stringify(body)).to.include({ status: 400 });
  });

  it('is answered, or refused as a bad request, whatever is in it', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('1Gi', 'Block', 'FromStorageProfile', ['ReadWriteOnce'], 'cdi.kubevirt.io', 'VolumeCloneSource'),
    );
    const spec = fc.record(
      {
        accessModes: value,
        storageClassName: value,
        volumeMode: value,
        volumeName: value,
        dataSource: value,
        dataSourceRef: fc.oneof(value, fc.record({ apiGroup: value, kind: value, name: value })),
        resources: fc.oneof(value, fc.record({ requests: fc.oneof(value, fc.record({ storage: value })) })),
      },
      { requiredKeys: [] },
    );
    const object = fc.record({ metadata: fc.constant({ labels: LABEL }), spec: fc.oneof(spec, value) });
    await fc.assert(
      fc.asyncProperty(fc.oneof(object, value), async (claim) => {
        try {
          expect(await webhook.review(review(claim))).to.have.property('response');
        } catch (error) {
          expect(error).to.be.instanceOf(StatusError).and.include({ status: 400 });
        }
      }),
    );
  });

  it('allows what is deleted, and what the controllers make', async () => {
    for (const request of [{ operation: 'DELETE', object: null }, { userInfo: { username: 'controllers' } }]) {
      const answer = await webhook.review(review({ metadata: { labels: LABEL }, spec: {} }, request));
      expect(answer).to.deep.include({ response: { uid: '1', allowed: true } });
    }
  });
});
