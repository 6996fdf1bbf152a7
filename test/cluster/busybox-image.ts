import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';
import { pack } from 'tar-stream';
import { run } from './commands.ts';
import { cacheFolder } from './folders.ts';
import { PrerequisitesMissing } from './prerequisites.ts';
import { staticBusybox } from './static-busybox.ts';

/** Raise it when what the image is made of changes. */
const recipe = 1;

/**
 * An OCI archive with `localhost/busybox:1` and, from the same layer, `localhost/pause:1`, the container that holds a
 * pod's namespaces.
 */
export async function busyboxArchive(): Promise<string> {
  const path = await staticBusybox();
  if (!path) {
    throw new PrerequisitesMissing(["there is no static busybox to make the pods' image of"]);
  }
  const program = await readFile(path);
  const hash = createHash('sha256').update(`${recipe}`).update(program).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), 'images');
  const archive = join(folder, `busybox-${hash}.tar`);
  if (await stat(archive).catch(() => undefined)) {
    return archive;
  }
  await mkdir(folder, { recursive: true });
  const layer = await rootLayer(path, program);
  const unfinished = `${archive}.${process.pid}`;
  try {
    await pipeline(
      ociArchive(layer, [
        { name: 'localhost/busybox:1', config: { Cmd: ['sh'] } },
        { name: 'localhost/pause:1', config: { Entrypoint: ['/bin/sleep', '2147483647'], User: '65535:65535' } },
      ]),
      createWriteStream(unfinished),
    );
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
  return archive;
}

async function rootLayer(path: string, program: Buffer): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date(0);
  for (const name of ['bin', 'etc', 'home', 'root', 'usr', 'usr/bin', 'var']) {
    tar.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime });
  }
  tar.entry({ name: 'tmp/', type: 'directory', mode: 0o1777, mtime });
  tar.entry({ name: 'bin/busybox', mode: 0o755, mtime }, program);
  for (const applet of (await run(path, ['--list'])).split('\n').filter((name) => name !== 'busybox')) {
    tar.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox', mtime });
  }
  tar.entry({ name: 'usr/bin/env', type: 'symlink', linkname: '../../bin/busybox', mtime });
  const text = (name: string, content: string) => tar.entry({ name, mode: 0o644, mtime }, content);
  text('etc/passwd', 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/home:/bin/sh\n');
  text('etc/group', 'root:x:0:\nnobody:x:65534:\n');
  tar.finalize();
  return buffer(tar);
}

interface Image {
  name: string;
  config: object;
}

/** An OCI image layout in a tar: https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
function ociArchive(layer: Buffer, images: Image[]): Pack {
  const tar = pack();
  const written = new Set<string>();
  const blob = (mediaType: string, content: Buffer) => {
    const hash = createHash('sha256').update(content).digest('hex');
    if (!written.has(hash)) {
      written.add(hash);
      tar.entry({ name: `blobs/sha256/${hash}` }, content);
    }
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const prefix = 'application/vnd.oci.image';
  const layers = [blob(`${prefix}.layer.v1.tar`, layer)];
  const manifests = images.map(({ name, config }) => ({
    ...blob(
      `${prefix}.manifest.v1+json`,
      json({
        schemaVersion: 2,
        mediaType: `${prefix}.manifest.v1+json`,
        config: blob(
          `${prefix}.config.v1+json`,
          json({
            architecture: process.arch === 'x64' ? 'amd64' : process.arch,
            os: 'linux',
            config: { Env: ['PATH=/bin:/usr/bin'], ...config },
            rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
          }),
        ),
        layers,
      }),
    ),
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
  }));
  tar.entry({ name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  tar.entry({ name: 'index.json' }, json({ schemaVersion: 2, manifests }));
  tar.finalize();
  return tar;
}
