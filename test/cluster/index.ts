/** The test cluster: a real Kubernetes on this machine. Which one is meant says $DISKPRESS_CLUSTER. */
export type { ClusterAddresses, UpOptions } from './cluster.ts';
export { controlNodeComponent, down, loadImage, status, up } from './cluster.ts';
export { cutNetwork, killContainer } from './containers.ts';
export { driverName } from './components.ts';
export { csiParts, helmBinary, kubernetesBinaries, manifestCheckers, tellBuilds, virtctlBinary } from './parts.ts';
export { startSecondDriver, type SecondDriver } from './second-driver.ts';
export { installPrerequisites } from './prerequisites.ts';
