import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import { DiskSearch } from '../../../../src/source/registry/disk-search.ts';
import type { ImageStore } from '../../../../src/source/registry/image-store.ts';
import { rejection } from '../../../support/rejection.ts';
import { streamOptimizedVmdk } from '../../../support/stream-optimized-vmdk.ts';
import { collect, lend } from '../../base/streams.ts';
import { tar } from '../../image/unwrap/unwrapping.ts';

const vmdk = streamOptimizedVmdk(Buffer.alloc(4096, 'vm'), { grainSize: 4096, entries: 16 });
/** Larger than what is passed over for the sake of what comes behind it. */
const large = Buffer.alloc(17 * 1024 * 1024, 'large\0');

/** What is found in an image of one layer. */
async function found(members: Record<string, Buffer | string>): Promise<Buffer> {
  const layer = await tar(members);
  const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const store: Pick<ImageStore, 'blob'> = {
    blob: async () => lend(layer, Array<number>(Math.ceil(layer.length / 70_000)).fill(70_000)),
  };
  const search = new DiskSearch(store as ImageStore, 'registry/image', new Progress());
  const { bytes } = await search.find([{ digest, size: layer.length, mediaType: '' }]);
  return collect(bytes);
}

describe('the disk in a layer of a container image', () => {
  it('may be a large file that only might be one, among others that are none', async () => {
    const others = { 'disk/text': 'text\n', 'other/disk.vmdk': vmdk, 'disk/z.bin': large };
    expect((await found({ 'disk/a.bin': large, ...others })).equals(large)).to.equal(true);
  });

  it('is never such a file where another one is certainly a disk, which is named', async () => {
    expect((await found({ 'disk/a.vmdk': vmdk, 'disk/b.bin': large })).equals(vmdk)).to.equal(true);
    const failure = await rejection(found({ 'disk/a.bin': large, 'disk/b.vmdk': vmdk }));
    expect(failure).to.have.property('code', 'UnsupportedImage');
    expect(failure)
      .to.have.property('message')
      .that.matches(/\(disk\/a\.bin, disk\/b\.vmdk\)/);
  });
});
