import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { repository } from './folders.ts';
import type { Identity } from './identity.ts';
import { nodeFolder } from './identity.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import type { Network, NodeNetwork } from './network.ts';
import type { Component } from './node/spec.ts';
import type { CsiParts, KubernetesBinaries } from './parts.ts';
import type { KeyPair, Subject } from './pki.ts';
import { Authority, signingKeys } from './pki.ts';

export const driverName = 'csi.diskpress.test';

/** The name by which pods find the host. */
export const hostName = 'host.diskpress.test';

const containerdSocket = '/run/containerd/containerd.sock';
const csiFolder = `/var/lib/kubelet/plugins/${driverName}`;
const csiSocket = join(csiFolder, 'csi.sock');

export interface Programs {
  kubernetes: KubernetesBinaries;
  csi: CsiParts;
  coredns: string;
}

/** What the components of one node are made from. */
export interface NodePlan {
  cluster: Identity;
  name: string;
  network: Network;
  node: NodeNetwork;
  /** Address of the node with the control plane. */
  controlPlane: string;
  authority: Authority;
  programs: Programs;
  /** The folder with the cluster's disk, as the node sees it. */
  disk: string;
}

/** Writes the node's configuration files and tells which components it runs. */
export async function configureNode(plan: NodePlan, controlPlane: boolean): Promise<Component[]> {
  const files = new ConfigurationFiles(plan);
  await mkdir(files.folder, { recursive: true });
  return [
    await containerd(files),
    ...(controlPlane ? await controlPlaneComponents(plan, files) : []),
    await kubelet(plan, files),
    await kubeProxy(plan, files),
    csiDriver(plan),
    ...(controlPlane ? await csiControllers(plan, files) : []),
  ];
}

class ConfigurationFiles {
  readonly folder: string;
  readonly #plan: NodePlan;

  constructor(plan: NodePlan) {
    this.#plan = plan;
    this.folder = join(nodeFolder(plan.cluster, plan.name), 'config');
  }

  async write(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  async keyPair(name: string, pair: KeyPair): Promise<{ certificate: string; key: string }> {
    return {
      certificate: await this.write(`${name}.crt`, pair.certificate),
      key: await this.write(`${name}.key`, pair.key),
    };
  }

  async kubeconfig(name: string, subject: Subject): Promise<string> {
    const { cluster, authority, controlPlane } = this.#plan;
    const user = await authority.issue(subject);
    return this.write(
      `${name}.kubeconfig`,
      kubeconfigOf(cluster.name, apiServerUrl(controlPlane), authority.certificate, user),
    );
  }
}

export function apiServerUrl(address: string): string {
  return `https://${address}:6443`;
}

async function containerd(files: ConfigurationFiles): Promise<Component> {
  const networks = join(files.folder, 'cni');
  const configuration = await files.write(
    'containerd.toml',
    `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # Lowering a score needs a capability that containers and small machines do not give.
  restrict_oom_score_adj = true
  device_ownership_from_security_context = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`,
  );
  return { name: 'containerd', command: ['containerd', '--config', configuration] };
}

/** Pods have routed point-to-point links: all their traffic passes the node's netfilter, without a bridge's help. */
async function podNetwork({ node }: NodePlan, files: ConfigurationFiles): Promise<void> {
  await mkdir(join(files.folder, 'cni'), { recursive: true });
  await files.write(
    'cni/10-pods.conflist',
    JSON.stringify({
      cniVersion: '0.4.0',
      name: 'pods',
      plugins: [
        {
          type: 'ptp',
          ipMasq: false,
          ipam: {
            type: 'host-local',
            dataDir: '/run/cni/addresses',
            ranges: [[{ subnet: node.podRange }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    }),
  );
}

async function controlPlaneComponents(plan: NodePlan, files: ConfigurationFiles): Promise<Component[]> {
  const { authority, network, controlPlane, programs, cluster } = plan;
  const authorityFiles = await files.keyPair('authority', authority);
  const server = await files.keyPair(
    'kube-apiserver',
    await authority.issue({
      commonName: 'kube-apiserver',
      names: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'localhost',
        '127.0.0.1',
        controlPlane,
        network.apiService,
      ],
    }),
  );
  const kubeletClient = await files.keyPair(
    'kube-apiserver-kubelet-client',
    await authority.issue({ commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' }),
  );
  const proxyAuthority = await Authority.create('front-proxy-authority');
  const proxyCertificate = await files.write('front-proxy-authority.crt', proxyAuthority.certificate);
  const proxyClient = await files.keyPair('front-proxy', await proxyAuthority.issue({ commonName: 'front-proxy' }));
  const signing = await signingKeys();
  const serviceAccountKey = await files.write('service-accounts.key', signing.key);
  const serviceAccountPublicKey = await files.write('service-accounts.pub', signing.publicKey);
  const etcd = 'http://127.0.0.1:2379';
  const afterApiServer = [`ready:${controlPlane}:6443`];
  const controllerManager = await files.kubeconfig('kube-controller-manager', {
    commonName: 'system:kube-controller-manager',
  });
  const scheduler = await files.kubeconfig('kube-scheduler', { commonName: 'system:kube-scheduler' });
  const resolver = await files.kubeconfig('coredns', { commonName: 'coredns', organization: 'system:masters' });
  const names = await files.write('names', `${network.hostAddress} ${hostName}\n`);
  const corefile = await files.write(
    'Corefile',
    `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
  bind ${controlPlane}
  errors
  ready ${controlPlane}:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${resolver}
    ttl 2
  }
}
diskpress.test:53 {
  bind ${controlPlane}
  errors
  hosts ${names} {
    ttl 2
    reload 1s
  }
}
# Pods reach nothing outside, and no name of it exists.
.:53 {
  bind ${controlPlane}
  errors
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`,
  );
  return [
    {
      name: 'etcd',
      command: [
        programs.kubernetes.etcd,
        `--data-dir=${join(plan.disk, plan.name, 'etcd')}`,
        '--unsafe-no-fsync',
        `--listen-client-urls=${etcd}`,
        `--advertise-client-urls=${etcd}`,
        '--listen-peer-urls=http://127.0.0.1:2380',
      ],
    },
    {
      name: 'kube-apiserver',
      after: ['tcp:127.0.0.1:2379'],
      command: [
        programs.kubernetes.kubeApiserver,
        `--etcd-servers=${etcd}`,
        `--advertise-address=${controlPlane}`,
        '--secure-port=6443',
        `--service-cluster-ip-range=${network.serviceRange}`,
        `--tls-cert-file=${server.certificate}`,
        `--tls-private-key-file=${server.key}`,
        `--client-ca-file=${authorityFiles.certificate}`,
        `--kubelet-certificate-authority=${authorityFiles.certificate}`,
        `--kubelet-client-certificate=${kubeletClient.certificate}`,
        `--kubelet-client-key=${kubeletClient.key}`,
        '--kubelet-preferred-address-types=InternalIP',
        `--proxy-client-cert-file=${proxyClient.certificate}`,
        `--proxy-client-key-file=${proxyClient.key}`,
        `--requestheader-client-ca-file=${proxyCertificate}`,
        '--requestheader-allowed-names=front-proxy',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        '--enable-aggregator-routing=true',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${serviceAccountPublicKey}`,
        `--service-account-signing-key-file=${serviceAccountKey}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
      ],
    },
    {
      name: 'kube-controller-manager',
      after: afterApiServer,
      command: [
        programs.kubernetes.kubeControllerManager,
        `--kubeconfig=${controllerManager}`,
        `--authentication-kubeconfig=${controllerManager}`,
        `--authorization-kubeconfig=${controllerManager}`,
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${serviceAccountKey}`,
        `--root-ca-file=${authorityFiles.certificate}`,
        `--cluster-signing-cert-file=${authorityFiles.certificate}`,
        `--cluster-signing-key-file=${authorityFiles.key}`,
        `--cluster-name=${cluster.name}`,
        '--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    },
    {
      name: 'kube-scheduler',
      after: afterApiServer,
      command: [
        programs.kubernetes.kubeScheduler,
        `--kubeconfig=${scheduler}`,
        `--authentication-kubeconfig=${scheduler}`,
        `--authorization-kubeconfig=${scheduler}`,
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    },
    { name: 'coredns', after: afterApiServer, command: [programs.coredns, '-conf', corefile] },
  ];
}

async function kubelet(plan: NodePlan, files: ConfigurationFiles): Promise<Component> {
  const { authority, cluster, name, network, node, controlPlane, programs } = plan;
  await podNetwork(plan, files);
  const clientAuthority = await files.write('clients.crt', authority.certificate);
  const server = await files.keyPair(
    'kubelet',
    await authority.issue({
      commonName: `system:node:${name}`,
      organization: 'system:nodes',
      names: [name, node.address],
    }),
  );
  const configuration = await files.write(
    'kubelet.yaml',
    stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: clientAuthority },
      },
      authorization: { mode: 'Webhook' },
      tlsCertFile: server.certificate,
      tlsPrivateKeyFile: server.key,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/${cluster.prefix}${name}`,
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      failSwapOn: false,
      containerRuntimeEndpoint: `unix://${containerdSocket}`,
      volumePluginDir: '/var/lib/kubelet/volume-plugins',
      clusterDNS: [network.dnsService],
      clusterDomain: 'cluster.local',
      resolvConf: await files.write('resolv.conf', `nameserver ${controlPlane}\n`),
      maxPods: 200,
      // A full disk is the machine's business; evicting pods would only hide it.
      evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
      imageGCHighThresholdPercent: 100,
      serializeImagePulls: false,
      shutdownGracePeriod: '0s',
      runtimeRequestTimeout: '2m',
      kubeAPIQPS: 200,
      kubeAPIBurst: 400,
      eventRecordQPS: 0,
    }),
  );
  const kubeconfig = await files.kubeconfig('kubelet', {
    commonName: `system:node:${name}`,
    organization: 'system:nodes',
  });
  return {
    name: 'kubelet',
    after: [`unix:${containerdSocket}`, `ready:${controlPlane}:6443`],
    command: [
      programs.kubernetes.kubelet,
      `--config=${configuration}`,
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${name}`,
      `--node-ip=${node.address}`,
    ],
  };
}

async function kubeProxy(plan: NodePlan, files: ConfigurationFiles): Promise<Component> {
  const { network, name, node, controlPlane, programs } = plan;
  const configuration = await files.write(
    'kube-proxy.yaml',
    stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      clientConnection: { kubeconfig: await files.kubeconfig('kube-proxy', { commonName: 'system:kube-proxy' }) },
      mode: 'iptables',
      clusterCIDR: network.podRange,
      hostnameOverride: name,
      bindAddress: node.address,
      nodePortAddresses: ['primary'],
      // Connection tracking limits are the whole machine's.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
      iptables: { minSyncPeriod: '0s' },
    }),
  );
  return {
    name: 'kube-proxy',
    after: [`ready:${controlPlane}:6443`],
    command: [programs.kubernetes.kubeProxy, `--config=${configuration}`],
  };
}

function csiDriver({ disk, name, programs }: NodePlan): Component {
  return {
    name: 'csi-driver',
    command: [
      process.execPath,
      join(repository, 'test/csi-driver/main.ts'),
      ...['--endpoint', `unix://${csiSocket}`],
      ...['--node-id', name],
      ...['--pool', join(disk, 'pool')],
      ...['--driver-name', driverName],
      ...['--proto', programs.csi.proto],
      ...['--topology-key', `topology.${driverName}/node`],
      ...['--kubelet-registration-dir', '/var/lib/kubelet/plugins_registry'],
    ],
  };
}

async function csiControllers({ programs, controlPlane }: NodePlan, files: ConfigurationFiles): Promise<Component[]> {
  const kubeconfig = await files.kubeconfig('csi', { commonName: 'csi', organization: 'system:masters' });
  const api = [`--kubeconfig=${kubeconfig}`, '--kube-api-qps=200', '--kube-api-burst=400'];
  const driver = `--csi-address=${csiSocket}`;
  const retries = ['--retry-interval-start=200ms', '--retry-interval-max=5s'];
  const after = [`ready:${controlPlane}:6443`, `unix:${csiSocket}`];
  return [
    {
      name: 'csi-provisioner',
      after,
      command: [
        programs.csi.csiProvisioner,
        ...api,
        driver,
        ...retries,
        '--extra-create-metadata',
        '--default-fstype=xfs',
        '--feature-gates=Topology=true',
        '--strict-topology',
        '--worker-threads=20',
        // Where it meets a conflict when it takes its finalizer from a snapshot that it has restored, it tries again
        // only in its sweep, by default every 5 minutes: longer than tests wait for a namespace to go.
        '--snapshot-orphan-sweep-interval=30s',
      ],
    },
    {
      name: 'csi-snapshotter',
      after,
      command: [programs.csi.csiSnapshotter, ...api, driver, ...retries, '--extra-create-metadata'],
    },
    {
      name: 'csi-resizer',
      after,
      command: [programs.csi.csiResizer, ...api, driver, ...retries, '--handle-volume-inuse-error=false'],
    },
    {
      name: 'snapshot-controller',
      after: after.slice(0, 1),
      command: [programs.csi.snapshotController, ...api, ...retries, '--leader-election=false'],
    },
  ];
}
