/**
 * Seconds of processor time, over all cores, that the parts took to build where Go's cache had nothing of them (of
 * `csi`, `snapshot-metadata`, `coredns` and `fake-gcs-server`, no more than the parts before them have left there), on
 * an x86-64 server processor.
 */
const processorSeconds = {
  kubernetes: 560,
  csi: 275,
  'snapshot-metadata': 5,
  kubectl: 200,
  coredns: 95,
  versitygw: 110,
  'fake-gcs-server': 90,
  virtctl: 200,
  vcenter: 47,
  helm: 205,
  kubeconform: 5,
  'kube-score': 35,
};

export type PartName = keyof typeof processorSeconds;

/** What is to be built of a part. */
export interface ToBuild {
  readonly name: PartName;
  /** How many programs. */
  readonly programs: number;
}

/** Seconds that one program is linked by one core, while the others have nothing to do. */
const LINKING = 4;
/** Below that nobody wonders. */
const SHORT = 45;

/** For people: `about 6 minutes on 2 cores, more where they have other work to do`. */
export function aboutBuilding(parts: readonly ToBuild[], cores: number): string {
  const seconds = buildSeconds(parts, cores);
  const minutes = Math.max(1, Math.round(seconds / 60));
  const time = minutes === 1 ? 'a minute' : `${minutes} minutes`;
  const [where, others] = cores === 1 ? ['one core', 'it has'] : [`${cores} cores`, 'they have'];
  return `${seconds < SHORT ? 'less than a minute' : `about ${time}`} on ${where}, more where ${others} other work to do`;
}

/** Where the cores have nothing else to do. */
export function buildSeconds(parts: readonly ToBuild[], cores: number): number {
  const work = parts.reduce((sum, { name }) => sum + processorSeconds[name], 0);
  const linking = parts.reduce((sum, { programs }) => sum + programs * LINKING, 0);
  return Math.max(work / cores, linking);
}
