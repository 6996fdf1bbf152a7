import { expect } from 'chai';
import type { TokenReview } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { TokenAccess } from '../../../src/kube/token-access.ts';
import { rejection } from '../../support/rejection.ts';

/** An API server that knows the tokens `reader` and `writer`, of which the first may read. */
class Reviews {
  readonly asked: { kind: string; spec: Record<string, unknown> }[] = [];
  isDown = false;

  readonly create: KubeClient['create'] = async (resource, object) => {
    const { spec } = object as unknown as { spec: Record<string, unknown> };
    this.asked.push({ kind: resource.kind, spec });
    await Promise.resolve();
    if (this.isDown) throw new Error('the API server is away');
    const user = { username: String(spec['token']), uid: '1', groups: ['all'], extra: { key: ['value'] } };
    const authenticated = ['reader', 'writer'].includes(user.username);
    const status: TokenReview['status'] & { allowed: boolean } = {
      authenticated,
      ...(authenticated && { user }),
      allowed: spec['user'] === 'reader',
    };
    return { ...object, status };
  };
}

describe('access by a token', () => {
  let reviews: Reviews;
  let access: TokenAccess;
  let time: number;

  beforeEach(() => {
    reviews = new Reviews();
    time = Date.parse('2026-01-01T00:00:00Z');
    access = new TokenAccess(reviews, { path: '/metrics', verb: 'get' }, () => time);
  });

  it('is for whom the API server knows, and lets get the path', async () => {
    expect(await access.decide('reader')).to.equal('allowed');
    expect(await access.decide('writer')).to.equal('forbidden');
    expect(await access.decide('stranger')).to.equal('unknown');
    expect(reviews.asked[1]).to.deep.equal({
      kind: 'SubjectAccessReview',
      spec: {
        user: 'reader',
        uid: '1',
        groups: ['all'],
        extra: { key: ['value'] },
        nonResourceAttributes: { path: '/metrics', verb: 'get' },
      },
    });
  });

  it('is asked for once a minute, however many ask at a time', async () => {
    await Promise.all(Array.from({ length: 10 }, () => access.decide('reader')));
    time += 59_000;
    await access.decide('reader');
    expect(reviews.asked).to.have.lengthOf(2);
    time += 2_000;
    expect(await access.decide('reader')).to.equal('allowed');
    expect(reviews.asked).to.have.lengthOf(4);
  });

  it('is given soon after the right is', async () => {
    await access.decide('writer');
    time += 11_000;
    await access.decide('writer');
    expect(reviews.asked).to.have.lengthOf(4);
  });

  it('is not decided while the API server is away, and then is', async () => {
    reviews.isDown = true;
    expect(await rejection(access.decide('reader'))).to.have.property('message', 'the API server is away');
    reviews.isDown = false;
    expect(await access.decide('reader')).to.equal('allowed');
  });

  it('takes few tokens of strangers to the API server, and goes on for those who may', async () => {
    await access.decide('reader');
    time += 61_000;
    const decisions = await Promise.all(Array.from({ length: 500 }, (_, index) => access.decide(`token-${index}`)));
    expect(decisions.filter((decision) => decision === 'busy')).to.have.lengthOf(480);
    expect(await access.decide('reader')).to.equal('allowed');
  });
});
