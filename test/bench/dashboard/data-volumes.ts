import type { DataVolume } from '../../../src/api/data-volume.ts';
import type { Listed } from '../../support/simulated-api.ts';

const NAMESPACES = 50;
const MESSAGE =
  'a message of some length, as the controllers write them: what is wrong, where, and what to do about it';

type Condition = NonNullable<NonNullable<DataVolume['status']>['conditions']>[number];

/** The index-th of many DataVolumes: of a hundred one has failed, two wait, and two run. */
export function dataVolume(index: number, progress = '45.20%'): DataVolume & Listed {
  const [phase, status, reason] = stateOf(index % 100);
  const condition: Condition = { type: 'Running', status, reason, message: MESSAGE };
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      namespace: `team-${index % NAMESPACES}`,
      name: `vm-${index}-root`,
      uid: `uid-${index}`,
      resourceVersion: '1',
      // The first one is the newest.
      creationTimestamp: new Date(Date.now() - index * 60_000).toISOString(),
    },
    spec: {
      source: { http: { url: `https://images.example/fedora-${index}.qcow2` } },
      storage: { resources: { requests: { storage: '10Gi' } } },
    },
    status: { phase, progress, conditions: [condition] },
  };
}

function stateOf(share: number): readonly [NonNullable<DataVolume['status']>['phase'], Condition['status'], string] {
  if (share === 0) return ['Failed', 'False', 'ChecksumMismatch'];
  if (share <= 2) return ['ImportScheduled', 'False', 'Unschedulable'];
  if (share <= 4) return ['ImportInProgress', 'True', 'TransferRunning'];
  return ['Succeeded', 'False', 'Completed'];
}
