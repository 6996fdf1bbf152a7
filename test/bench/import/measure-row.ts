import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execPath } from 'node:process';
import { type Log, run } from '../../cluster/commands.ts';
import type { Registry } from '../../support/registry.ts';
import { webPath, type WebServer } from '../../support/web-server.ts';
import type { Build } from '../against/build.ts';
import type { BenchData, BenchImages } from '../images.ts';
import { measure, type Measurement } from './measure.ts';
import { pushDisk } from './registry.ts';
import type { Row } from './rows.ts';
import type { Result } from './table.ts';
import type { Volume } from './volume.ts';

/** What imports are measured with. */
export interface Laboratory {
  /** Of a disk that is full of something. */
  imagesOf: (data: BenchData) => BenchImages;
  volume: Volume;
  web: WebServer;
  registry: Registry;
  build: Build;
  /** What it is measured against. */
  other: Build | undefined;
  log: Log;
}

/**
 * Measures a kind of import and its reference in alternation, and then what each part of the work takes alone.
 *
 * @param kind what the disk is full of
 */
export async function measureRow(row: Row, kind: BenchData, runs: number, laboratory: Laboratory): Promise<Result> {
  const { imagesOf, volume, web, registry, build, other, log } = laboratory;
  const images = imagesOf(kind);
  const target = join(volume.folder, 'disk.img');
  const scratch = join(volume.folder, 'scratch');
  const image = await images.path(row.image);
  const disk = await images.path('disk.img');
  // Where all is zeros nothing is to be written: that is told in parts of the disk's size.
  const data = (await images.data()) || images.dimensions.virtualSize;
  const pushed = row.registry && (await pushDisk(registry, images, row.image));
  const url = pushed?.url ?? `${web.url}${webPath.plain}/${basename(images.folder)}/${row.image}`;
  const file = row.unpacked === undefined ? image : await images.path(row.unpacked);
  const packed = pushed?.archive ?? image;
  const env = {
    ...{ url, scratch, target, file, packed, virtual_size: images.dimensions.virtualSize.toString() },
    ...(pushed === undefined ? {} : { layer: pushed.layer, blob: pushed.blob }),
  };
  const bash = (script: string, cached: string[] = []) =>
    measure(volume, { program: 'bash', args: ['-euo', 'pipefail', '-c', script], env, cached });
  const importing = ({ folder }: Build) =>
    measure(volume, {
      program: execPath,
      args: [join(folder, 'dist/main.js'), 'import', ...(row.registry ? ['--insecure'] : []), url, target],
    });

  const ours: Measurement[] = [];
  const theirs: Measurement[] = [];
  const reference: Measurement[] = [];
  const clear = async () => {
    await rm(target);
    await rm(scratch, { recursive: true, force: true });
  };
  const check = () => run('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'raw', target, disk]);
  for (let round = 1; round <= runs; round += 1) {
    const builds = [{ of: build, measured: ours }, ...(other ? [{ of: other, measured: theirs }] : [])];
    // What comes after the reference, which writes the most, may wait for the storage of that to be freed.
    if (round % 2 === 0) builds.reverse();
    for (const { of, measured } of builds) {
      measured.push(await importing(of));
      if (round === 1) await check();
      await clear();
    }
    await mkdir(scratch);
    reference.push(await bash(row.reference));
    if (round === 1) await check();
    await clear();
    const [own, another, usual] = [ours, theirs, reference].map((measured) => measured.at(-1)?.seconds.toFixed(2));
    const against = other ? `, ${other.name} ${another} s` : '';
    log(`${row.name}, ${kind}, round ${round} of ${runs}: ${own} s${against}, reference ${usual} s`);
  }
  const network = await bash(
    `curl --silent --show-error --fail --output /dev/null "${row.registry ? '$blob' : '$url'}"`,
  );
  const decoding = await bash(row.decoding, [...new Set([packed, file])]);
  const writing = await bash(
    `dd if=/dev/zero of="$target" bs=1M count=${Math.ceil(data / 2 ** 20)} conv=fsync status=none`,
  );
  await clear();
  return { row, kind, data, ours, theirs, reference, limits: { network, decoding, disk: writing } };
}
