/** The test cluster: a real Kubernetes on this machine. Which one is meant says $DISKPRESS_CLUSTER. */
export type { ClusterAddresses, ClusterStatus, UpOptions } from './cluster.ts';
export { controlNodeComponent, down, loadImage, status, up } from './cluster.ts';
export { killContainer } from './containers.ts';
export { driverName } from './components.ts';
export type { CsiParts, KubernetesBinaries } from './parts.ts';
export { corednsBinary, csiParts, kubernetesBinaries, tellBuilds } from './parts.ts';
export { startSecondDriver, type SecondDriver } from './second-driver.ts';
export { installPrerequisites, PrerequisitesMissing } from './prerequisites.ts';
