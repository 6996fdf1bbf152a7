import { Server } from '@grpc/grpc-js';
import { Command } from 'commander';
import { createLogger, type LogLevel } from '../../src/base/logger.ts';
import { loadCsiServices } from './csi-services.ts';
import { identity } from './identity.ts';
import { KeyLock } from './key-lock.ts';
import { listen } from './listen.ts';
import { node } from './node.ts';
import { openPool } from './pool.ts';
import { register } from './registration.ts';
import { handlers } from './service.ts';
import { snapshotController } from './snapshot-controller.ts';
import { snapshotMetadata } from './snapshot-metadata.ts';
import { NodeTopology } from './topology.ts';
import { volumeController } from './volume-controller.ts';

interface Options {
  endpoint: string;
  nodeId: string;
  pool: string;
  driverName: string;
  proto: string;
  kubeletRegistrationDir?: string;
  topologyKey?: string;
  logLevel: LogLevel;
}

const UNIX = 'unix://';

const options = new Command('csi-driver')
  .description("The test cluster's CSI driver: volumes, snapshots and clones in a folder on XFS with reflink")
  .requiredOption('--endpoint <url>', 'where to serve CSI: unix:///path/csi.sock')
  .requiredOption('--node-id <name>', "the node's name")
  .requiredOption('--pool <directory>', 'folder on an XFS filesystem with reflink=1')
  .requiredOption('--proto <file>', 'csi.proto of the module github.com/container-storage-interface/spec')
  .option('--driver-name <name>', 'name of the driver', 'csi.diskpress.test')
  .option('--kubelet-registration-dir <directory>', "the kubelet's plugins_registry; registers the driver there")
  .option('--topology-key <label>', 'node label that tells nodes apart, for classes with local: "true"')
  .option('--log-level <level>', 'error, warn, info or debug', 'info')
  .parse()
  .opts<Options>();

if (!options.endpoint.startsWith(UNIX)) {
  throw new Error(`--endpoint ${options.endpoint}: only ${UNIX} is served`);
}
const socketPath = options.endpoint.slice(UNIX.length);
const log = createLogger({ level: options.logLevel }).child({ driver: options.driverName, node: options.nodeId });
const pool = await openPool(options.pool, options.nodeId);
const locks = new KeyLock();
const topology = new NodeTopology(options.topologyKey, options.nodeId);
const services = loadCsiServices(options.proto);

const server = new Server();
server.addService(services.Identity.service, handlers(identity(options.driverName, topology.isServed), log));
server.addService(
  services.Controller.service,
  handlers({ ...volumeController(pool, locks, topology), ...snapshotController(pool, locks) }, log),
);
server.addService(services.Node.service, handlers(node(pool, locks, topology, options.nodeId), log));
server.addService(services.SnapshotMetadata.service, snapshotMetadata(pool, log));
await listen(server, socketPath);
const servers = [server];
if (options.kubeletRegistrationDir !== undefined) {
  servers.push(await register(options.kubeletRegistrationDir, options.driverName, socketPath, log));
}
log.info('serving', { endpoint: options.endpoint, pool: options.pool });

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    log.info('stopping', { signal });
    for (const each of servers) {
      each.tryShutdown(() => undefined);
    }
  });
}
