import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage } from './base-image.ts';
import { buildah, hasImage, withImageLock } from './buildah.ts';
import { loadBuiltImage } from './cluster.ts';
import type { Log } from './commands.ts';
import { repository } from './folders.ts';
import { installPrerequisites } from './prerequisites.ts';

/** The name under which nodes have the product's image. */
export const productImage = 'localhost/diskpress:dev';

/** What the Dockerfile copies or is told by. */
const inputs = [
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'package.json',
  'package-lock.json',
  'LICENSE',
  'tsconfig.json',
  'build.ts',
  'build',
  'native',
  'src',
];

/** Builds the product's image from this checkout, unless it was built from the same sources before. */
export async function prepareProductImage(log: Log = () => undefined): Promise<void> {
  await installPrerequisites(log);
  await withImageLock(log, () => build(log));
}

/**
 * Builds the product's image from this checkout and loads it into the cluster's nodes as {@link productImage}. Does
 * neither again for the same sources.
 *
 * @param cluster its name; that of $DISKPRESS_CLUSTER unless given
 * @returns a hash of what it is made of, which its name does not tell
 */
export async function buildProductImage(log: Log = () => undefined, cluster?: string): Promise<string> {
  await installPrerequisites(log);
  return withImageLock(log, async () => {
    const revision = await build(log);
    // Still under the lock: another checkout would give the name to another image.
    await loadBuiltImage(productImage, log, cluster);
    return revision;
  });
}

async function build(log: Log): Promise<string> {
  const base = await baseImage(log);
  const hash = createHash('sha256').update(base);
  for (const input of inputs) {
    await hashTree(hash, input);
  }
  const revision = hash.digest('hex').slice(0, 16);
  const tag = `localhost/diskpress:${revision}`;
  if (await hasImage(tag)) {
    await buildah('tag', [tag, productImage]);
    return revision;
  }
  log('building the image of Diskpress');
  const settings = await mkdtemp(join(tmpdir(), 'diskpress-build-'));
  try {
    const args = [`BUILD_BASE=${base}`, `BASE=${base}`].flatMap((argument) => ['--build-arg', argument]);
    const volumes = (await npmSettings(settings)).flatMap((volume) => ['--volume', volume]);
    await buildah('build', ['--layers', ...args, ...volumes, '--tag', tag, '--tag', productImage, repository], {
      onLine: (line) => {
        if (/^(\[.*\] )?STEP /.test(line)) {
          log(`  ${line}`);
        }
      },
    });
  } finally {
    await rm(settings, { recursive: true, force: true });
  }
  await removeOlder();
  return revision;
}

/** Every build leaves an image; the latest few serve checkouts that are worked on at the same time. */
async function removeOlder(): Promise<void> {
  const list = await buildah('images', ['--json', '--filter', 'reference=localhost/diskpress']);
  const images = (JSON.parse(list) as { names: string[]; created: number }[]).sort(
    (left, right) => right.created - left.created,
  );
  for (const { names } of images.slice(5)) {
    await buildah('rmi', names);
  }
  // Steps of earlier builds make later ones quick; so many are more than one build has.
  const steps = await buildah('images', ['--quiet', '--filter', 'dangling=true']);
  if (steps.split('\n').length > 40) {
    await buildah('rmi', ['--prune', '--force']);
  }
}

/**
 * What npm is told outside it is told in the build too: the user's settings and the certificate authorities to trust.
 * They are mounted for the build alone and are not part of the image.
 */
async function npmSettings(folder: string): Promise<string[]> {
  const lines = [await readFile(join(homedir(), '.npmrc'), 'utf8').catch(() => '')];
  const volumes = [];
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities) {
    volumes.push(`${authorities}:/run/authorities.crt:ro`);
    lines.push('cafile=/run/authorities.crt');
  }
  const file = join(folder, 'npmrc');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return [...volumes, `${file}:/root/.npmrc:ro`];
}

async function hashTree(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const absolute = join(repository, path);
  if ((await stat(absolute)).isDirectory()) {
    for (const name of (await readdir(absolute)).sort()) {
      await hashTree(hash, join(path, name));
    }
  } else {
    const content = await readFile(absolute);
    hash.update(`${path} ${content.length}\n`).update(content);
  }
}
