import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { aboutBuilding, type PartName } from './build-estimate.ts';
import type { Log } from './commands.ts';
import { run, tellingTime } from './commands.ts';
import { cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';

const kubernetesVersion = 'v1.36.3';
const [major, minor] = kubernetesVersion.slice(1).split('.');

interface Part {
  /**
   * Folder below parts/ with a go.mod and go.sum of its own: one for all would not find versions that compile together.
   */
  name: PartName;
  packages: string[];
  ldflags: string;
  /** Files of modules that are wanted besides programs, in the versions that a part has: this one unless named. */
  files?: { module: string; folder: string; match: RegExp; pinnedBy?: PartName }[];
}

const version = 'k8s.io/component-base/version';
/** Of changed block tracking, which only some tests use: the definition without the program costs no build. */
const snapshotMetadataCrd = {
  name: 'snapshot-metadata',
  packages: [],
  ldflags: '',
  files: [
    {
      module: 'github.com/kubernetes-csi/external-snapshot-metadata/client',
      folder: 'config/crd',
      match: /\.yaml$/,
    },
  ],
} satisfies Part;
const parts = {
  kubernetes: {
    name: 'kubernetes',
    packages: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy'].map(
      (command) => `k8s.io/kubernetes/cmd/${command}`,
    ),
    ldflags:
      `-s -w -X ${version}.gitVersion=${kubernetesVersion} -X ${version}.gitMajor=${major} ` +
      `-X ${version}.gitMinor=${minor} -X ${version}.gitTreeState=clean`,
  },
  csi: {
    name: 'csi',
    packages: [
      'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner',
      'github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter',
      'github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller',
      'github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer',
      'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity',
    ],
    ldflags: '-s -w',
    files: [
      { module: 'github.com/container-storage-interface/spec', folder: '.', match: /^csi\.proto$/ },
      {
        module: 'github.com/kubernetes-csi/external-snapshotter/client/v8',
        folder: 'config/crd',
        match: /^snapshot\.storage\.k8s\.io_volumesnapshot.*\.yaml$/,
      },
    ],
  },
  snapshotMetadataCrd,
  snapshotMetadata: {
    name: 'snapshot-metadata',
    packages: ['github.com/kubernetes-csi/external-snapshot-metadata/cmd/csi-snapshot-metadata'],
    ldflags: '-s -w',
  },
  kubectl: {
    name: 'kubectl',
    packages: ['k8s.io/kubernetes/cmd/kubectl'],
    ldflags: `-s -w -X ${version}.gitVersion=${kubernetesVersion}`,
  },
  coredns: { name: 'coredns', packages: ['diskpress.dev/test/cluster/coredns'], ldflags: '-s -w' },
  versitygw: { name: 'versitygw', packages: ['github.com/versity/versitygw/cmd/versitygw'], ldflags: '-s -w' },
  fakeGcsServer: { name: 'fake-gcs-server', packages: ['github.com/fsouza/fake-gcs-server'], ldflags: '-s -w' },
  vcenter: { name: 'vcenter', packages: ['diskpress.dev/test/cluster/vcenter'], ldflags: '-s -w' },
  virtctl: { name: 'virtctl', packages: ['diskpress.dev/test/cluster/virtctl'], ldflags: '-s -w' },
  helm: { name: 'helm', packages: ['helm.sh/helm/v4/cmd/helm'], ldflags: '-s -w' },
  kubeconform: {
    name: 'kubeconform',
    packages: ['github.com/yannh/kubeconform/cmd/kubeconform'],
    ldflags: '-s -w',
    files: [
      {
        module: 'k8s.io/kubernetes',
        folder: 'api/openapi-spec',
        match: /^swagger\.json$/,
        pinnedBy: 'kubernetes',
      },
    ],
  },
  kubeScore: { name: 'kube-score', packages: ['github.com/zegl/kube-score/cmd/kube-score'], ldflags: '-s -w' },
} satisfies Record<string, Part>;

export interface BuildOptions {
  /** Told what is built and how far it is; standard error unless given, since a build takes minutes. */
  log?: Log;
  /** Lets everything else go first, and ends with this process, in whatever way that does. */
  inBackground?: boolean;
}

/** The niceness of a build in the background: it gets a quarter of a core that something else wants, too. */
const BACKGROUND_NICENESS = 5;

export interface KubernetesBinaries {
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubeProxy: string;
  kubeScheduler: string;
  kubelet: string;
}

/** Paths of Kubernetes's own programs; builds them if no checkout has done so before. */
export async function kubernetesBinaries(options: BuildOptions = {}): Promise<KubernetesBinaries> {
  const folder = await build(parts.kubernetes, options);
  return {
    etcd: 'etcd',
    kubeApiserver: join(folder, 'kube-apiserver'),
    kubeControllerManager: join(folder, 'kube-controller-manager'),
    kubeProxy: join(folder, 'kube-proxy'),
    kubeScheduler: join(folder, 'kube-scheduler'),
    kubelet: join(folder, 'kubelet'),
  };
}

export interface CsiParts {
  csiProvisioner: string;
  csiResizer: string;
  csiSanity: string;
  csiSnapshotter: string;
  snapshotController: string;
  /** The CSI specification's csi.proto. */
  proto: string;
  /** The VolumeSnapshot CRDs, one YAML file each. */
  snapshotCrds: string[];
}

/** Paths of the CSI sidecars, the snapshot controller, the conformance test, and the files that go with them. */
export async function csiParts(options: BuildOptions = {}): Promise<CsiParts> {
  const folder = await build(parts.csi, options);
  return {
    csiProvisioner: join(folder, 'csi-provisioner'),
    csiResizer: join(folder, 'csi-resizer'),
    csiSanity: join(folder, 'csi-sanity'),
    csiSnapshotter: join(folder, 'csi-snapshotter'),
    snapshotController: join(folder, 'snapshot-controller'),
    proto: join(folder, 'csi.proto'),
    snapshotCrds: (await readdir(folder)).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name)),
  };
}

/** Paths of the CRDs of changed block tracking. */
export async function snapshotMetadataCrds(options: BuildOptions = {}): Promise<string[]> {
  const folder = await build(parts.snapshotMetadataCrd, options);
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Path of the CSI sidecar that tells which blocks of a snapshot are allocated or have changed. */
export async function snapshotMetadataBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.snapshotMetadata, options), 'csi-snapshot-metadata');
}

/** Path of CoreDNS. */
export async function corednsBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.coredns, options), 'coredns');
}

/** Path of versitygw, an S3 server over a folder. */
export async function versitygwBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.versitygw, options), 'versitygw');
}

/** Path of fake-gcs-server, which serves a folder as Google Cloud Storage does. */
export async function fakeGcsServerBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.fakeGcsServer, options), 'fake-gcs-server');
}

/** Path of a vCenter with one virtual machine. */
export async function vcenterBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.vcenter, options), 'vcenter');
}

/** Path of KubeVirt's virtctl, which has `image-upload` and no other command. */
export async function virtctlBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.virtctl, options), 'virtctl');
}

/** Path of Helm. */
export async function helmBinary(options: BuildOptions = {}): Promise<string> {
  return join(await build(parts.helm, options), 'helm');
}

export interface ManifestCheckers {
  /** Holds manifests against schemas. */
  kubeconform: string;
  /** Says what is unsafe about manifests. */
  kubeScore: string;
  /** The OpenAPI document of the Kubernetes that the cluster runs, in JSON. */
  openApi: string;
}

/** Paths of the programs that check manifests, and of what Kubernetes says of them. */
export async function manifestCheckers(options: BuildOptions = {}): Promise<ManifestCheckers> {
  const folder = await build(parts.kubeconform, options);
  return {
    kubeconform: join(folder, 'kubeconform'),
    kubeScore: join(await build(parts.kubeScore, options), 'kube-score'),
    openApi: join(folder, 'swagger.json'),
  };
}

/** The folder with kubectl: Debian's is too old for what it is used for. */
export function kubectlFolder(options: BuildOptions = {}): Promise<string> {
  return build(parts.kubectl, options);
}

/** What the cluster runs and Debian does not package. */
const clusterParts: readonly Part[] = [parts.kubernetes, parts.csi, parts.coredns];

/**
 * Says how long it takes to build those of the parts that the cluster runs and no checkout has built before; nothing
 * where there is none such.
 */
export async function tellBuilds(log: Log): Promise<void> {
  const cached = await Promise.all(clusterParts.map(async (part) => exists(await resultOf(part))));
  const missing = clusterParts.filter((_, index) => !cached[index]);
  if (missing.length > 0) {
    log(`to be built from source, once: ${missing.map(({ name }) => name).join(', ')}; ${about(missing)}`);
  }
}

function about(missing: readonly Part[]): string {
  const toBuild = missing.map(({ name, packages }) => ({ name, programs: packages.length }));
  return aboutBuilding(toBuild, availableParallelism());
}

function sourceOf({ name }: Pick<Part, 'name'>): string {
  return join(import.meta.dirname, 'parts', name);
}

/** The folder in the cache for a part's programs, by the hash of what they are built from. */
async function resultOf(part: Part): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(part));
  const entries = await readdir(sourceOf(part), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(await readFile(file));
  return join(cacheFolder(), 'parts', `${part.name}-${hash.digest('hex').slice(0, 16)}`);
}

/** The folder with a part's programs: found in the cache, or built now. */
async function build(part: Part, { log = console.error, inBackground = false }: BuildOptions): Promise<string> {
  const result = await resultOf(part);
  if (await exists(result)) {
    return result;
  }
  const cache = dirname(result);
  await mkdir(cache, { recursive: true });
  return withLock(
    `${result}.lock`,
    async () => {
      if (!(await exists(result))) {
        const work = await mkdtemp(join(cache, `.${part.name}-`));
        try {
          await compile(part, work, { log, inBackground });
          await chmod(work, 0o755);
          await rename(work, result);
        } finally {
          await rm(work, { recursive: true, force: true });
        }
      }
      return result;
    },
    () => log(`waiting for another process that builds ${part.name}: ${about([part])}`),
  );
}

/** What debuggers read is stripped in the end: not to write it takes an eighth less processor time. */
const FLAGS = ['-trimpath', '-gcflags=all=-dwarf=false'];

async function compile(part: Part, target: string, { log, inBackground }: Required<BuildOptions>): Promise<void> {
  const background = ['setpriv', '--pdeathsig', 'KILL', '--', 'nice', '-n', `${BACKGROUND_NICENESS}`, 'go'];
  const [go = 'go', ...before] = inBackground ? background : [];
  const source = sourceOf(part);
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  log(`building ${part.name} from source: ${about([part])}; kept afterwards in ${dirname(target)}`);
  if (part.packages.length > 0) {
    const what = part.packages.map((path) => path.split('/').at(-1)).join(', ');
    let downloads = 0;
    const progress = () => `building ${what}${downloads ? `, ${downloads} modules downloaded` : ''}`;
    // All at once: while one is linked, which takes one core, others are compiled.
    const compiler = () =>
      run(go, [...before, 'build', ...FLAGS, '-ldflags', part.ldflags, '-o', `${target}/`, ...part.packages], {
        cwd: source,
        env: { CGO_ENABLED: '0' },
        onLine: (line) => {
          if (line.startsWith('go: downloading ')) {
            downloads++;
          } else {
            log(line);
          }
        },
      });
    await tellingTime(log, progress, compiler);
  }
  for (const { module, folder, match, pinnedBy: name = part.name } of part.files ?? []) {
    const cwd = sourceOf({ name });
    await run('go', ['mod', 'download', module], { cwd });
    const from = join(await run('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd }), folder);
    for (const name of (await readdir(from)).filter((each) => match.test(each))) {
      await copyFile(join(from, name), join(target, name));
      await chmod(join(target, name), 0o644);
    }
  }
  log(`built ${part.name} in ${seconds()}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
