import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildah, hasImage } from './buildah.ts';
import type { Log } from './commands.ts';
import { run, tellingTime } from './commands.ts';
import { cacheFolder } from './folders.ts';

/** Stands for the image of that name on Docker Hub, which has the same things in the same places. */
const name = 'localhost/node:24-bookworm-slim';

/** Left out as in Debian's slim images, which keep the licences. */
const selection = [
  ...['doc', 'info', 'lintian', 'linda', 'locale', 'man'].map((folder) => `path-exclude=/usr/share/${folder}/*`),
  'path-include=/usr/share/doc/*/copyright',
];

/**
 * Has the directories of /usr merged from the start, as those images have: usrmerge, which would do it, draws in Perl.
 */
const merged = ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', '--include=usr-is-merged'];

const containerfile = `FROM scratch
ADD base.tar /
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["node"]
`;

/** Makes an image with Debian and this process's Node, unless an earlier run did; returns its name. */
export async function baseImage(log: Log): Promise<string> {
  const npm = join(await run('npm', ['root', '--global']), 'npm');
  const hash = createHash('sha256')
    .update(JSON.stringify([containerfile, selection, merged, process.version, process.arch]))
    .digest('hex');
  const tag = `${name}-${hash.slice(0, 16)}`;
  if (await hasImage(tag)) {
    return tag;
  }
  const context = await mkdtemp(join(cacheFolder(), '.base-image-'));
  try {
    await cp(await debianArchive(log), join(context, 'base.tar'));
    log('making the base image');
    await cp(process.execPath, join(context, 'node'), { dereference: true });
    await cp(npm, join(context, 'npm'), { recursive: true, dereference: true });
    await writeFile(join(context, 'Containerfile'), containerfile);
    await buildah('build', ['--quiet', '--tag', tag, context]);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return tag;
}

/** A tar with the root file system of a minimal Debian. */
async function debianArchive(log: Log): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([selection, merged]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(cacheFolder(), 'images');
  const archive = join(folder, `bookworm-${process.arch}-${hash}.tar`);
  if (await stat(archive).catch(() => undefined)) {
    return archive;
  }
  log('downloading a minimal Debian: half a minute, then kept');
  await mkdir(folder, { recursive: true });
  const unfinished = `${archive}.new`;
  const options = selection.map((option) => `--dpkgopt=${option}`);
  try {
    const how = ['--quiet', '--variant=minbase', '--format=tar', ...merged, ...options];
    await tellingTime(
      log,
      () => 'downloading it',
      () => run('mmdebstrap', [...how, 'bookworm', unfinished]),
    );
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
  return archive;
}
