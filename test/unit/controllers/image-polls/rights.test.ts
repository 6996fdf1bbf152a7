import { expect } from 'chai';
import type { DataVolumeSource } from '../../../../src/api/source-fields.ts';
import { imagePollRights } from '../../../../src/controllers/image-polls/rights.ts';
import { imagePollsRole } from '../../../../src/controllers/image-polls/role.ts';
import { SourcePoller } from '../../../../src/controllers/image-polls/source-poller.ts';
import { ApiError } from '../../../../src/kube/errors.ts';
import type { ObjectKey } from '../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { objectsIn } from '../../../support/deployed.ts';
import { describeGrant, type Grant, grantsIn } from '../../../support/grants.ts';

const granted = grantsIn('image-polls/rbac.yaml');
const base64 = (text: string) => Buffer.from(text).toString('base64');

const objects: Record<string, KubeObject & Record<string, unknown>> = {
  'secrets/login': { data: { accessKeyId: base64('a'), secretKey: base64('b') } },
  'configmaps/authorities': { data: { 'ca.crt': '-----BEGIN CERTIFICATE-----' } },
  'imagestreams/fedora': {
    status: {
      tags: [{ tag: '41', items: [{ image: `sha256:${'a'.repeat(64)}`, dockerImageReference: 'r/f@sha256:a' }] }],
    },
  },
};

/** A source that needs the object, and is asked for after that has been read. */
const sources: Record<string, DataVolumeSource> = {
  secrets: { http: { url: 'http://127.0.0.1:9/disk', secretRef: 'login' } },
  configmaps: { http: { url: 'http://127.0.0.1:9/disk', certConfigMap: 'authorities' } },
  imagestreams: { registry: { imageStream: 'fedora', pullMethod: 'node' } },
};

/** Polls with a client that has these rights. Returns what came of it. */
async function poll(source: DataVolumeSource, grants: readonly Grant[]): Promise<unknown> {
  const client = {
    async get<T extends KubeObject>({ plural, group }: Resource<T>, { name }: ObjectKey): Promise<T | undefined> {
      if (!grants.some((grant) => grant.verb === 'get' && grant.resource === plural && grant.group === group)) {
        throw new ApiError({ code: 403, message: 'forbidden', reason: 'Forbidden' });
      }
      return objects[`${plural}/${name}`] as T | undefined;
    },
  };
  const config = { insecureRegistries: [], hasFeatureGate: () => false, importProxy: {}, namespace: 'cdi' };
  const poller = new SourcePoller({ client, config });
  return poller.poll('team', source, undefined, new AbortController().signal).catch((error: unknown) => error);
}

describe('the rights of polls', () => {
  it('are what they declare, to be bound to the controllers', () => {
    const declared = imagePollRights.flatMap(({ resource, verbs }) =>
      verbs.map((verb) => `${verb} ${resource.group ? `${resource.plural}.${resource.group}` : resource.plural}`),
    );
    expect(granted.map(describeGrant)).to.have.members(declared);
    const [role, binding] = objectsIn('image-polls/rbac.yaml') as (KubeObject & {
      roleRef?: { name: string };
      subjects?: object[];
    })[];
    expect(role?.metadata?.name).to.equal(imagePollsRole);
    expect(binding?.roleRef?.name).to.equal(imagePollsRole);
    expect(binding?.subjects).to.deep.equal([{ kind: 'ServiceAccount', name: 'cdi-sa', namespace: 'cdi' }]);
  });

  for (const grant of granted) {
    it(`are needed: ${describeGrant(grant)}`, async () => {
      const source = sources[grant.resource] ?? {};
      const others = granted.filter((each) => each !== grant);
      const missing = await poll(source, others);
      expect(missing).to.include({ name: 'WaitingError', reason: 'ErrForbidden' });
      expect(missing).to.have.property('message').that.includes('install deploy/image-polls');
      expect(await poll(source, granted)).to.not.have.property('reason');
    });
  }

  it('are not needed by sources that name nothing', async () => {
    const failure = await poll({ http: { url: 'http://127.0.0.1:9/disk' } }, []);
    expect(failure).to.include({ code: 'AddressRefused', permanent: true });
  });
});
