import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import { ContainerImage } from '../../../../src/source/kinds/container-image.ts';
import type { ImageStore } from '../../../../src/source/registry/image-store.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const manifest = JSON.stringify({ config: { digest, size: 1 }, layers: [{ digest, size: 1 }] });

/** Opens an image with these labels. Returns whether a layer was asked for, and why it failed. */
async function open(labels: unknown): Promise<{ isLayerRead: boolean; failure: unknown }> {
  let isLayerRead = false;
  const store: ImageStore = {
    manifest: async () => manifest,
    configuration: async () => JSON.stringify({ config: { Labels: labels } }),
    blob: async () => {
      isLayerRead = true;
      throw new Error('a layer is read');
    },
    close: async () => undefined,
  };
  const image = new ContainerImage(store, { location: 'docker://r/os:1', reference: '1' }, new Progress());
  const failure: unknown = await image.open().catch((reason: unknown) => reason);
  return { isLayerRead, failure };
}

describe('a container image from which a machine is installed', () => {
  it('is refused before a layer is read, with what to do', async () => {
    const all = [{ 'containers.bootc': '1' }, { 'ostree.bootable': 'true' }, { 'containers.bootc': 'yes', a: 'b' }];
    for (const labels of all) {
      const { isLayerRead, failure } = await open(labels);
      expect(isLayerRead, JSON.stringify(labels)).to.equal(false);
      expect(failure).to.include({ code: 'UnsupportedImage', permanent: true });
      expect(failure)
        .to.have.property('message')
        .that.matches(/^docker:\/\/r\/os:1 is a bootable container .*bootc install to-disk/);
    }
  });

  it('is no image whose labels say no, or are of something else', async () => {
    for (const labels of [{ 'containers.bootc': '0' }, { 'ostree.bootable': 'false' }, { a: 'b' }, null, { a: 1 }]) {
      expect((await open(labels)).isLayerRead, JSON.stringify(labels)).to.equal(true);
    }
  });
});
