import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeSpec } from './spec.ts';

/**
 * The kernel settings that the kubelet insists on are the whole machine's. It finds these values and leaves the
 * machine's own alone.
 */
const pretended = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** Inside the node's mount namespace: puts everything the node writes on the cluster's disk or on a tmpfs. */
export function makeMounts(spec: NodeSpec): void {
  const mount = (...args: string[]) => void execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const folder = (...parts: string[]) => {
    const path = join(...parts);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const own = (...parts: string[]) => folder(spec.disk, spec.name, ...parts);

  // Blocks that pods free go back to the host's file system.
  mount('-o', 'discard', spec.device, spec.disk);

  // The host's /var is seen but never written; what must stay the host's own is put back into its place.
  const kept = spec.keep
    .filter((path) => path.startsWith('/var/'))
    .map((path, index) => ({ path, aside: own('keep', String(index)) }));
  kept.forEach(({ path, aside }) => mount('--rbind', path, aside));
  const layers = `lowerdir=/var,upperdir=${own('var')},workdir=${own('var-work')}`;
  mount('-t', 'overlay', '-o', layers, 'overlay', '/var');
  kept.forEach(({ path, aside }) => mount('--rbind', aside, folder(path)));

  // An overlay cannot hold another's layers, and volumes want reflinks: these are on the disk itself.
  for (const path of ['kubelet', 'containerd', 'cni', 'local-volumes']) {
    mount('--bind', own(path), folder('/var/lib', path));
  }
  mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run');
  folder('/run/lock');

  writeFileSync(join(own(), 'hosts'), spec.hosts);
  mount('--bind', join(own(), 'hosts'), '/etc/hosts');
  for (const [name, value] of Object.entries(pretended)) {
    const file = join(own('sysctl'), name.replaceAll('/', '.'));
    writeFileSync(file, `${value}\n`);
    mount('--bind', file, join('/proc/sys', name));
  }
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  execFileSync('hostname', [spec.name]);
  // Last, so that no mount above shows up twice; volumes must reach pods that run already.
  mount('--make-rshared', '/');
}
