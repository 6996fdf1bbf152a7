import { access, constants, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Log } from './commands.ts';
import { CommandFailed, run, tellingTime } from './commands.ts';
import { cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';
import { kubectlFolder } from './parts.ts';
import { hasPrometheus, PROMETHEUS_PACKAGE } from './prometheus.ts';
import { BUSYBOX_PACKAGE, staticBusybox } from './static-busybox.ts';
import { unpackPackage } from './unpacked-package.ts';
import { hasUserModeLinux, USER_MODE_LINUX_PACKAGE } from './user-mode-linux.ts';

/** What must be there, the Debian package that has it. */
interface Prerequisite {
  /** A program to be found in $PATH, or the absolute path of a file. */
  provides: string;
  package: string;
  /** Whether it is for the servers that tests talk to, and not for the cluster alone. */
  servers?: true;
  /** Looks for it, where it is neither a program nor a file. */
  isThere?: () => Promise<boolean>;
}

/** What a machine is to do: run the test cluster, or only serve images to the tests in another cluster. */
export type Purpose = 'cluster' | 'servers';

const libraries = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

/** Unpacked, not installed. */
const unpacked = [BUSYBOX_PACKAGE, PROMETHEUS_PACKAGE, USER_MODE_LINUX_PACKAGE];

/** For the cluster's nodes, the images they run, and the servers that tests talk to. */
const prerequisites: Prerequisite[] = [
  { provides: 'flock', package: 'util-linux', servers: true },
  { provides: 'mount', package: 'mount' },
  { provides: 'losetup', package: 'mount' },
  { provides: 'hostname', package: 'hostname' },
  { provides: 'ip', package: 'iproute2' },
  { provides: 'iptables', package: 'iptables' },
  { provides: 'mkfs.xfs', package: 'xfsprogs' },
  { provides: 'containerd', package: 'containerd' },
  { provides: 'runc', package: 'runc' },
  { provides: '/usr/lib/cni/ptp', package: 'containernetworking-plugins' },
  { provides: 'etcd', package: 'etcd-server' },
  { provides: 'a busybox that needs no interpreter', package: BUSYBOX_PACKAGE, isThere: hasBusybox },
  { provides: 'buildah', package: 'buildah' },
  { provides: 'mmdebstrap', package: 'mmdebstrap' },
  { provides: 'skopeo', package: 'skopeo', servers: true },
  { provides: 'qemu-img', package: 'qemu-utils', servers: true },
  { provides: 'nbdkit', package: 'nbdkit' },
  { provides: '/usr/include/nbdkit-plugin.h', package: 'nbdkit-plugin-dev' },
  { provides: 'cc', package: 'gcc' },
  { provides: '/usr/include/stdio.h', package: 'libc6-dev' },
  { provides: 'mkfs.ext4', package: 'e2fsprogs', servers: true },
  { provides: 'xz', package: 'xz-utils', servers: true },
  { provides: 'zstd', package: 'zstd', servers: true },
  { provides: 'nginx', package: 'nginx-light', servers: true },
  { provides: 'docker-registry', package: 'docker-registry', servers: true },
  { provides: 'curl', package: 'curl' },
  { provides: 'igzip', package: 'isal' },
  { provides: `${libraries}/libdeflate.so.0`, package: 'libdeflate0' },
  { provides: `${libraries}/libisal.so.2`, package: 'libisal2' },
  { provides: `${libraries}/liblzma.so.5`, package: 'liblzma5' },
  { provides: 'tinyproxy', package: 'tinyproxy-bin', servers: true },
  { provides: 'htpasswd', package: 'apache2-utils' },
  // Whatever else people pack disks with.
  { provides: 'bzip2', package: 'bzip2' },
  { provides: 'lz4', package: 'lz4' },
  { provides: 'lzip', package: 'lzip' },
  { provides: 'lzop', package: 'lzop' },
  { provides: 'lrzip', package: 'lrzip' },
  { provides: 'bzip3', package: 'bzip3' },
  { provides: 'compress', package: 'ncompress' },
  { provides: 'zip', package: 'zip' },
  { provides: '7zz', package: '7zip' },
  { provides: 'cpio', package: 'cpio' },
  { provides: 'gcab', package: 'gcab' },
  { provides: 'wimcapture', package: 'wimtools' },
  { provides: 'ewfacquirestream', package: 'ewf-tools' },
  { provides: 'affconvert', package: 'afflib-tools' },
  { provides: 'create_compressed_fs', package: 'cloop-utils' },
  { provides: 'img2simg', package: 'android-sdk-libsparse-utils' },
  { provides: 'bximage', package: 'bximage' },
  { provides: 'partclone.extfs', package: 'partclone' },
  { provides: 'ntfsclone', package: 'ntfs-3g' },
  { provides: 'genisoimage', package: 'genisoimage' },
  { provides: 'mkudffs', package: 'udftools' },
  { provides: 'mksquashfs', package: 'squashfs-tools' },
  { provides: 'mkfs.erofs', package: 'erofs-utils' },
  { provides: 'mkfs.btrfs', package: 'btrfs-progs' },
  { provides: 'mkfs.fat', package: 'dosfstools' },
  { provides: 'mkswap', package: 'util-linux' },
  { provides: 'sfdisk', package: 'fdisk' },
  { provides: 'cryptsetup', package: 'cryptsetup-bin' },
  { provides: 'apache2', package: 'apache2-bin' },
  { provides: 'python3', package: 'python3', servers: true },
  { provides: "Python's modules venv and ensurepip", package: 'python3-venv', servers: true, isThere: hasVenv },
  { provides: 'python3-config', package: 'python3-dev', servers: true },
  { provides: 'chromium', package: 'chromium' },
  { provides: 'prometheus and promtool', package: PROMETHEUS_PACKAGE, servers: true, isThere: hasPrometheus },
  ...(process.arch === 'x64'
    ? [{ provides: 'linux.uml', package: USER_MODE_LINUX_PACKAGE, isThere: hasUserModeLinux }]
    : []),
];

/** Something that only the user can provide is missing; the message says all of it at once. */
export class PrerequisitesMissing extends Error {
  readonly code = 'PrerequisitesMissing';
  constructor(problems: string[]) {
    super(`this machine is not ready for the tests yet:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'PrerequisitesMissing';
  }
}

/** The names of the Debian packages that are missing. */
export async function missingPackages(purpose: Purpose = 'cluster'): Promise<string[]> {
  const needed = prerequisites.filter(({ servers }) => purpose === 'cluster' || servers);
  const missing = await Promise.all(
    needed.map(async (each) => {
      const there = await (each.isThere?.() ?? isThere(each.provides));
      return there ? [] : [each.package];
    }),
  );
  return [...new Set(missing.flat())];
}

/**
 * As root on Debian installs what is missing; elsewhere throws {@link PrerequisitesMissing}. Where there is no kubectl,
 * this process and those that it starts find one that is built.
 */
export async function installPrerequisites(log: Log = () => undefined, purpose: Purpose = 'cluster'): Promise<void> {
  const problems = [];
  if (purpose === 'cluster' && process.platform !== 'linux') {
    problems.push('it needs Linux; to use a cluster of your own instead, set KUBECONFIG');
    throw new PrerequisitesMissing(problems);
  }
  const missing = await missingPackages(purpose);
  const isRoot = process.getuid?.() === 0;
  const isDebian = (await isThere('apt-get')) && (await isThere('/etc/debian_version'));
  if (purpose === 'cluster' && !isRoot) {
    problems.push('the nodes need namespaces, mounts and loop devices: run it as root');
  }
  if (missing.length > 0 && !(isRoot && isDebian)) {
    const provides = prerequisites.filter((each) => missing.includes(each.package)).map((each) => each.provides);
    problems.push(
      `these are missing: ${provides.join(', ')}; ` +
        (isDebian
          ? `get them with: apt-get install --no-install-recommends ${missing.join(' ')}`
          : `get the packages that your distribution has them in (Debian: ${missing.join(' ')})`),
    );
  }
  if (purpose === 'cluster' && !(await isThere('go'))) {
    problems.push('Go is missing: get version 1.26 or later from https://go.dev/dl');
  }
  if (problems.length > 0) {
    throw new PrerequisitesMissing(problems);
  }
  if (missing.length > 0) {
    await withLock(join(cacheFolder(), 'locks', 'packages'), () => install(log, purpose));
  }
  if (purpose === 'servers' && !(await isThere('kubectl'))) {
    throw new PrerequisitesMissing(['kubectl is missing: get it from https://kubernetes.io/docs/tasks/tools']);
  }
  if (!(await isThere('kubectl'))) {
    process.env.PATH = [process.env.PATH, await kubectlFolder({ log })].join(delimiter);
  }
}

async function install(log: Log, purpose: Purpose): Promise<void> {
  const missing = await missingPackages(purpose);
  if (missing.length === 0) {
    return;
  }
  log(`installing Debian packages: ${missing.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await withoutStartingServices(async () => {
    try {
      await run('apt-get', ['update', '-q'], { env });
    } catch (error) {
      // The lists that are there may do; if not, the next step says what it did not find.
      log(error instanceof CommandFailed ? 'the package lists could not be refreshed' : String(error));
    }
    const installed = missing.filter((name) => !unpacked.includes(name));
    if (installed.length > 0) {
      await tellingTime(
        log,
        () => 'installing packages',
        () => run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...installed], { env }),
      );
    }
    for (const name of missing.filter((each) => unpacked.includes(each))) {
      await unpackPackage(name);
    }
  });
}

/** Only the programs are wanted: containerd, etcd, nginx and the registry must not run on the machine itself. */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !(await isThere(policy));
  if (ours) {
    await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  }
  try {
    await work();
  } finally {
    if (ours) {
      await rm(policy, { force: true });
    }
  }
}

async function isThere(provides: string): Promise<boolean> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const candidates = provides.startsWith('/') ? [provides] : folders.map((folder) => join(folder, provides));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.F_OK);
      return true;
    } catch {
      continue;
    }
  }
  return false;
}

async function hasBusybox(): Promise<boolean> {
  return (await staticBusybox()) !== undefined;
}

async function hasVenv(): Promise<boolean> {
  return run('python3', ['-c', 'import venv, ensurepip']).then(
    () => true,
    () => false,
  );
}
