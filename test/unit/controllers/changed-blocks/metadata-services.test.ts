import { expect } from 'chai';
import { AnnouncedServices } from '../../../../src/controllers/changed-blocks/metadata-services.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import {
  message,
  type MetadataServer,
  type MetadataStream,
  reply,
  serveMetadata,
} from '../../../support/snapshot-metadata/metadata-server.ts';

describe('the token by which a driver knows the controllers', () => {
  const asked: MetadataStream[] = [];
  let server: MetadataServer;

  before(async () => {
    server = await serveMetadata((stream) => {
      asked.push(stream);
      reply(stream, message(4096));
    });
  });
  after(() => server.stop());
  beforeEach(() => void (asked.length = 0));

  /** @param audiences of the API server */
  async function ask(audience: string, audiences: readonly string[]): Promise<unknown> {
    const caCert = Buffer.from(server.certificates).toString('base64');
    const client = {
      get: async () => ({ spec: { address: server.address, audience, caCert } }),
      create: async ({ kind }: Resource<KubeObject>, { spec }: { spec: { audiences?: string[]; token?: string } }) =>
        kind === 'TokenRequest'
          ? { status: { token: `for ${spec.audiences?.join(', ')}` } }
          : { status: { authenticated: audiences.some((each) => spec.token === `for ${each}`) } },
    };
    const services = new AnnouncedServices({ client: client as never, config: { namespace: 'cdi' } });
    const service = await services.open('driver');
    return service
      ?.allocated({ namespace: 'team', name: 'snapshot' }, 4096, AbortSignal.timeout(20_000))
      .catch((error: unknown) => error)
      .finally(() => service.close());
  }

  it('is for its audience', async () => {
    expect(await ask('blocks', ['https://kubernetes.default.svc'])).to.deep.equal([]);
    expect(asked.map(({ request }) => request.security_token)).to.deep.equal(['for blocks']);
  });

  it('is not sent where the API server would take it, too', async () => {
    const refused = await ask('https://kubernetes.default.svc', ['https://kubernetes.default.svc']);
    expect(refused).to.have.property('message').that.includes('an audience of its own');
    expect(asked).to.deep.equal([]);
  });
});
