import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { Progress } from '../../../src/base/progress.ts';
import type { Source } from '../../../src/base/source.ts';
import { ContainerImage } from '../../../src/source/kinds/container-image.ts';
import { DiskFinder } from '../../../src/source/registry/disk-finder.ts';
import { Layer } from '../../../src/source/registry/layer.ts';
import { ARCHIVE_INDEX, OciArchive } from '../../../src/source/registry/oci-archive.ts';
import { collect, lend } from '../../unit/base/streams.ts';
import { below, type Random } from '../mutate.ts';
import { survive, Violation } from './subject.ts';

/** A little more than there is room for what is not read twice. */
const ENOUGH_OUTPUT = 16 * 1024 * 1024;

async function tar(members: Record<string, Buffer | string>): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of Object.entries(members)) packing.entry({ name }, content);
  packing.finalize();
  return collect(packing as AsyncIterable<Buffer>);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Layers of an image, and an archive with an image. */
export async function makeLayerSeeds(): Promise<Buffer[]> {
  const disk = Buffer.alloc(20_000, 'disk\0');
  const layer = await tar({ 'etc/passwd': 'root', 'disk/.wh.old.img': '', [`disk/${'long/'.repeat(30)}a.img`]: disk });
  const lower = gzipSync(await tar({ 'disk/old.img': disk, 'disk/.wh..wh..opq': '' }));
  const config = Buffer.from('{"config":{"Env":["A=B"]}}');
  const listed = (bytes: Buffer): object => ({ digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(JSON.stringify({ config: listed(config), layers: [listed(lower), listed(layer)] }));
  const index = JSON.stringify({ manifests: [listed(manifest)] });
  const blobs = [config, manifest, layer, lower].map((blob): [string, Buffer] => [
    `blobs/${digestOf(blob).replace(':', '/')}`,
    blob,
  ]);
  const archive = await tar({ 'oci-layout': '{}', [ARCHIVE_INDEX]: index, ...Object.fromEntries(blobs) });
  return [layer, lower, archive];
}

/** Lets what reads layers and archives of images loose on an archive. */
export async function attemptLayers(bytes: Buffer, random: Random): Promise<void> {
  await survive(() => attemptLayer(bytes, random));
  const progress = new Progress();
  const store = new OciArchive(sourceOf(bytes));
  const image = new ContainerImage(store, { location: 'x', reference: ARCHIVE_INDEX }, progress);
  await survive(async () => consume((await image.open()).bytes));
  await image.close();
}

async function attemptLayer(bytes: Buffer, random: Random): Promise<void> {
  const chunks = Array.from({ length: 20 }, () => 1 + below(random, 3000));
  const finder = new DiskFinder();
  finder.accept({ path: 'disk/.wh.a', type: 'file', size: 0, stored: 0, offset: undefined, body: lend(bytes, []) });
  finder.descend();
  const layer = await Layer.open(lend(bytes, chunks), digestOf(bytes), 'x');
  for await (const entry of layer.entries) {
    if ((await survive(() => finder.accept(entry))) ?? true) return consume(layer.contentsOf(entry));
  }
  await layer.finish();
}

async function consume(stream: AsyncIterable<Buffer>): Promise<void> {
  let output = 0;
  for await (const chunk of stream) {
    output += chunk.length;
    if (output > ENOUGH_OUTPUT) return;
  }
}

function sourceOf(bytes: Buffer): Source {
  const openAt = (offset: number): ReturnType<typeof lend> => {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new Violation(`opened at ${offset}`);
    return lend(bytes.subarray(offset), [1000, 5000]);
  };
  return {
    location: 'x',
    open: async () => ({ bytes: openAt(0), size: bytes.length, mediaType: undefined, version: undefined, openAt }),
    openRanges: async () => undefined,
    close: async () => {},
  };
}
