import { expect } from 'chai';
import { vddk } from '../../../../../src/api/sources/vddk.ts';
import { libraryImageOf, withLibrary } from '../../../../../src/controllers/import/importer/library-image.ts';
import { rejection } from '../../../../support/rejection.ts';

const { libraryImage } = vddk.importer!;

function contextWith(data: Record<string, string> | undefined) {
  const asked: object[] = [];
  const get = (_: unknown, key: object): Promise<object | undefined> => {
    asked.push(key);
    return Promise.resolve(data && { data });
  };
  return { asked, context: { client: { get }, config: { namespace: 'cdi' } } as never };
}

describe('the image with the VDDK library', () => {
  const own = { 'cdi.kubevirt.io/storage.pod.vddk.initimageurl': 'registry/own:1' };

  it('is that of the claim, and otherwise that of the installation', async () => {
    const { context, asked } = contextWith({ 'vddk-init-image': 'registry/common:1' });
    expect(await libraryImageOf(context, own, libraryImage!)).to.equal('registry/own:1');
    expect(asked).to.be.empty;
    expect(await libraryImageOf(context, {}, libraryImage!)).to.equal('registry/common:1');
    expect(asked).to.deep.equal([{ namespace: 'cdi', name: 'v2v-vmware' }]);
  });

  for (const data of [undefined, {}])
    it(`is waited for while there is none: ${JSON.stringify(data)}`, async () => {
      const failure = await rejection(libraryImageOf(contextWith(data).context, {}, libraryImage!));
      expect(failure).to.include({ reason: 'AwaitingVDDK', after: 15_000 });
      expect(failure).to.have.property('message').that.includes('initImageURL').and.includes('"v2v-vmware"');
    });

  it('copies the library to where the importer reads it, before that starts', () => {
    const transfer = { name: 'importer', image: 'diskpress', volumeMounts: [{ name: 'data', mountPath: '/data' }] };
    const pod = withLibrary({ spec: { containers: [transfer], volumes: [] } }, 'registry/own:1', libraryImage!);
    expect(pod.spec?.initContainers).to.have.length(1);
    expect(pod.spec?.initContainers?.[0]).to.deep.include({
      name: 'vddk-side-car',
      image: 'registry/own:1',
      volumeMounts: [{ name: 'library', mountPath: '/opt' }],
    });
    expect(pod.spec?.initContainers?.[0]).not.to.have.property('command');
    expect(pod.spec?.containers[0]?.volumeMounts?.[1]).to.deep.equal({
      name: 'library',
      mountPath: '/opt',
      readOnly: true,
    });
    expect(pod.spec?.volumes).to.deep.equal([{ name: 'library', emptyDir: {} }]);
  });
});
