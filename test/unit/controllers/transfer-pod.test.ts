import { expect } from 'chai';
import { parseQuantity } from '../../../src/api/quantity.ts';
import { withPulledImage } from '../../../src/controllers/import/pulled-image.ts';
import { DEFAULT_POD_RESOURCES, type TransferSettings } from '../../../src/controllers/settings.ts';
import { transferPod, type TransferPodOptions } from '../../../src/controllers/transfer-pod.ts';
import type { Pod } from '../../../src/kube/builtin-resources.ts';

const settings: TransferSettings = {
  image: 'diskpress',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  podResources: DEFAULT_POD_RESOURCES,
  workloadPlacement: {},
};

const roles = ['importer', 'clone-source', 'upload-server', 'prepare-claim'] as const;

const podOf = (role: TransferPodOptions['role']): Pod =>
  transferPod(
    {
      name: role,
      namespace: 'team',
      component: 'importer',
      role,
      env: {},
      claim: { name: 'disk', volumeMode: 'Filesystem', readOnly: false },
      mounts: [],
      claimAnnotations: {},
      worksFor: { namespace: 'team', name: 'disk' },
      restarts: 0,
    },
    settings,
  );

const pods: Record<string, Pod> = {
  ...Object.fromEntries(roles.map((role) => [`of role ${role}`, podOf(role)])),
  'with a pulled image': withPulledImage(podOf('importer'), 'registry/disk:1', {}),
};

for (const [what, { spec }] of Object.entries(pods)) {
  describe(`a transfer pod ${what}`, () => {
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];

    it('has a size for each folder that it could fill the node with', () => {
      const folders = (spec?.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir ? [{ name, ...emptyDir }] : []));
      expect(folders).not.to.be.empty;
      for (const { name, sizeLimit } of folders) {
        expect(parseQuantity(sizeLimit ?? '0'), name).to.be.within(1, 64 * 1024 ** 2);
      }
    });

    it('is admitted where quotas ask for all resources, and takes little of them', () => {
      for (const { name, resources } of containers) {
        for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
          const request = parseQuantity(resources?.requests?.[resource] ?? '0');
          const limit = parseQuantity(resources?.limits?.[resource] ?? '0');
          expect(request, `${name} ${resource}`).to.be.within(Number.MIN_VALUE, limit);
        }
        expect(parseQuantity(resources?.requests?.['ephemeral-storage'] ?? ''), name).to.be.at.most(64e6);
      }
    });

    it('has room for the logs that a node keeps', () => {
      const sum = containers.reduce((all, { resources }) => {
        return all + parseQuantity(resources?.limits?.['ephemeral-storage'] ?? '0');
      }, 0);
      // Five files of 50 MB each.
      expect(sum).to.be.at.least(250e6);
    });

    it('has a root that cannot be written', () => {
      for (const { name, securityContext } of containers) {
        expect(securityContext?.readOnlyRootFilesystem, name).to.equal(true);
      }
    });
  });
}

describe('the deadline of a transfer pod', () => {
  it('is there where there is nothing to do but to mount, and nowhere else', () => {
    const limited = roles.filter((role) => podOf(role).spec?.activeDeadlineSeconds !== undefined);
    expect(limited).to.deep.equal(['prepare-claim']);
  });
});
