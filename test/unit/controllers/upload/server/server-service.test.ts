import { expect } from 'chai';
import { ServerServices } from '../../../../../src/controllers/upload/server/server-service.ts';
import type { PersistentVolumeClaim, Service } from '../../../../../src/kube/builtin-resources.ts';
import { ApiError } from '../../../../../src/kube/errors.ts';
import { rejection } from '../../../../support/rejection.ts';

const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' },
};

describe('the Service of an upload server', () => {
  function namespace() {
    const state = { now: 0, present: undefined as Service | undefined, gets: 0 };
    const client = {
      create: async (_: unknown, service: Service) => {
        if (state.present) throw new ApiError({ code: 409, reason: 'AlreadyExists', message: 'there already' });
        return (state.present = service);
      },
      get: async () => {
        state.gets += 1;
        return state.present;
      },
      delete: async () => (state.present = undefined),
    };
    return { state, services: new ServerServices({ client: client as never, now: () => state.now }) };
  }

  it('is made again after somebody has deleted it, within seconds', async () => {
    const { state, services } = namespace();
    await services.provide(claim);
    const made = state.present;
    expect(made?.metadata).to.include({ namespace: 'team' });
    state.present = undefined;
    await services.maintain(claim);
    expect(state.present).to.equal(undefined);
    state.now += 10_000;
    await services.maintain(claim);
    expect(state.present).to.deep.equal(made);
  });

  it('is looked at seldom while it is there', async () => {
    const { state, services } = namespace();
    await services.provide(claim);
    for (let second = 0; second < 60; second++) {
      await services.maintain(claim);
      state.now += 1000;
    }
    expect(state.gets).to.be.within(1, 6);
  });

  it('is looked at by controllers that have not made it', async () => {
    const { state, services } = namespace();
    await services.maintain(claim);
    expect(state.present?.metadata?.namespace).to.equal('team');
  });

  it('is removed at the end, but not one that somebody else has made', async () => {
    const { state, services } = namespace();
    await services.provide(claim);
    await services.remove(claim);
    expect(state.present).to.equal(undefined);
    const foreign: Service = { metadata: { namespace: 'team', name: 'cdi-upload-disk' } };
    state.present = foreign;
    await services.remove(claim);
    expect(state.present).to.equal(foreign);
    expect(await rejection(services.provide(claim)))
      .to.have.property('message')
      .that.includes('is in the way');
  });
});
