import { expect } from 'chai';
import { replaceOwn } from '../../../../src/controllers/objects/replace-own.ts';
import { type Secret, secrets } from '../../../../src/kube/builtin-resources.ts';
import { ApiError, WaitingError } from '../../../../src/kube/errors.ts';
import { rejection } from '../../../support/rejection.ts';

const own: Secret = { metadata: { namespace: 'team', name: 'cdi-transfer-1' }, stringData: { key: 'new' } };
const taken = () => new ApiError({ code: 409, reason: 'AlreadyExists', message: 'it already exists' });

/** A namespace with at most one object, whose API answers deletions with the error, if there is one. */
function apiWith(object: Secret | undefined, options: { onDelete?: Error; isKept?: boolean; onCreate?: Error } = {}) {
  const calls: string[] = [];
  const client = {
    create: async (_: unknown, created: Secret) => {
      calls.push('create');
      if (options.onCreate) throw options.onCreate;
      if (object) throw taken();
      return (object = created);
    },
    delete: async () => {
      calls.push('delete');
      if (options.onDelete) throw options.onDelete;
      if (!options.isKept) object = undefined;
    },
  };
  const replace = () => replaceOwn(client as never, secrets, own);
  return { calls, replace, object: () => object };
}

describe('an object of our own, made anew', () => {
  it('is only created where its name is free', async () => {
    const { calls, replace, object } = apiWith(undefined);
    await replace();
    expect(calls).to.deep.equal(['create']);
    expect(object()).to.equal(own);
  });

  it('takes the place of the one before', async () => {
    const { calls, replace, object } = apiWith({ stringData: { key: 'old' } });
    expect(await replace()).to.equal(own);
    expect(calls).to.deep.equal(['create', 'delete', 'create']);
    expect(object()).to.equal(own);
  });

  for (const code of [403, 422]) {
    it(`waits for one that the policy keeps, with status ${code}`, async () => {
      const refusal = new ApiError({
        code,
        message: "ValidatingAdmissionPolicy 'controller-limits' says that it is not ours",
      });
      const { replace } = apiWith({ stringData: { key: 'theirs' } }, { onDelete: refusal });
      const error = await rejection(replace());
      expect(error).to.be.instanceOf(WaitingError).and.include({ reason: 'ErrResourceExists' });
      expect(error).to.have.property('message').that.contains('Secret "team/cdi-transfer-1"').and.contains('not ours');
    });
  }

  it('waits for one that is deleted and does not go', async () => {
    const { calls, replace } = apiWith({ stringData: { key: 'old' } }, { isKept: true });
    expect(await rejection(replace())).to.include({ reason: 'ErrResourceExists' });
    expect(calls).to.deep.equal(['create', 'delete', 'create']);
  });

  it('waits for room in the quota', async () => {
    const onCreate = new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota: few' });
    const { calls, replace } = apiWith(undefined, { onCreate });
    expect(await rejection(replace())).to.include({ reason: 'ErrExceededQuota' });
    expect(calls).to.deep.equal(['create']);
  });

  it('does not take other failures for a name that is taken', async () => {
    const onDelete = new ApiError({ code: 500, message: 'the server is ill' });
    const { replace } = apiWith({ stringData: {} }, { onDelete });
    expect(await rejection(replace())).to.equal(onDelete);
  });
});
