import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdis } from '../../src/api/cdi.ts';
import { cdiConfigs } from '../../src/api/cdi-config.ts';
import { CDI_NAME } from '../../src/controllers/runtime/config-view.ts';
import type { Log } from '../cluster/commands.ts';
import { diskFile, type DiskImages, diskImages } from './disk-images.ts';
import type { Environment } from './environment.ts';
import { type Registry, startRegistry } from './registry.ts';
import { until } from './until.ts';
import { startWebServer, type WebServer } from './web-server.ts';

/** Where imports come from: servers on this machine, at the address by which the cluster reaches it. */
export interface Sources {
  readonly disk: DiskImages;
  readonly web: WebServer;
  readonly registry: Registry;
  /** A folder for the servers' own files. */
  readonly state: string;
}

/** Names of the images in the registry, all with the same disk. */
export const containerDisk = {
  gzip: 'golden/disk:gzip',
  zstd: 'golden/disk:zstd',
  plain: 'golden/disk:plain',
  /** An index; only the image for amd64 has a disk. */
  platforms: 'golden/disk:platforms',
} as const;

let sources: Promise<Sources> | undefined;

/** Makes the disk images and starts the servers, once for the process; they end with it. */
export function prepareSources(environment: Environment, log: Log): Promise<Sources> {
  sources ??= prepare(environment, log);
  return sources;
}

async function prepare(environment: Environment, log: Log): Promise<Sources> {
  const address = environment.hostAddress;
  log(`starting a web server and a registry on ${address}`);
  const state = await mkdtemp(join(tmpdir(), 'diskpress-sources-'));
  process.on('exit', () => rmSync(state, { recursive: true, force: true }));
  const disk = await diskImages();
  const web = await startWebServer({ address, state, root: disk.folder, names: environment.hostNames });
  const registry = await startRegistry({ address, state });
  log('pushing disks to the registry');
  const qcow2 = join(disk.folder, diskFile.qcow2);
  const labels = ['INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small'];
  for (const image of [
    { name: containerDisk.gzip, disk: qcow2, compression: 'gzip', environment: labels },
    { name: containerDisk.zstd, disk: qcow2, compression: 'zstd' },
    { name: containerDisk.plain, disk: join(disk.folder, diskFile.raw), compression: 'none' },
    {
      name: containerDisk.platforms,
      disk: qcow2,
      compression: 'gzip',
      architectures: { arm64: false, amd64: true, s390x: false },
    },
  ] as const) {
    await registry.push(image);
  }
  await allowInsecureRegistry(environment, registry.host);
  return { disk, web, registry, state };
}

/** Adds the registry to the CDI object's configuration, in place of those of earlier runs. */
async function allowInsecureRegistry({ client, hostAddress }: Environment, host: string): Promise<void> {
  const key = { namespace: '', name: CDI_NAME };
  const others = (await client.get(cdis, key))?.spec.config?.insecureRegistries ?? [];
  const insecureRegistries = [...others.filter((other) => !other.startsWith(`${hostAddress}:`)), host];
  await client.mergePatch(cdis, key, { spec: { config: { insecureRegistries } } });
  await until(client, cdiConfigs, { namespace: '', name: 'config' }, 'it has the registry', (config) =>
    config?.spec.insecureRegistries?.includes(host),
  );
}
