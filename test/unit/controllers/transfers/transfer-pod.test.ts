import { expect } from 'chai';
import { parse } from 'yaml';
import { parseQuantity } from '../../../../src/api/quantity.ts';
import type { Pod } from '../../../../src/kube/builtin-resources.ts';
import { transferRoleNames } from '../../../../src/protocol/roles.ts';
import { everyTransferPod, podOf } from '../../../support/transfer-pods.ts';

for (const [what, { spec }] of Object.entries(everyTransferPod)) {
  describe(`a transfer pod ${what}`, () => {
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];

    it('has a size for each folder that it could fill the node with', () => {
      const folders = (spec?.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir ? [{ name, ...emptyDir }] : []));
      expect(folders).not.to.be.empty;
      for (const { name, sizeLimit } of folders) {
        expect(parseQuantity(sizeLimit ?? '0'), name).to.be.within(1, 64 * 1024 ** 2);
      }
    });

    it('asks for some of every resource, and little of a disk', () => {
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
    const limited = transferRoleNames.filter((role) => podOf(role).spec?.activeDeadlineSeconds !== undefined);
    expect(limited).to.deep.equal(['prepare-claim']);
  });
});

describe('a transfer pod and what is around it', () => {
  it('mounts what it only reads so, that nobody changes the modes and groups of its files', () => {
    const volumesOf = (pod: Pod) =>
      pod.spec?.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
    expect(volumesOf(podOf('copy-source', 'reads', { readOnly: true }))).to.deep.equal([
      { claimName: 'disk', readOnly: true },
    ]);
    expect(volumesOf(podOf('importer'))).to.deep.equal([{ claimName: 'disk' }]);
  });

  it('stays out of a mesh, unless it is told otherwise', () => {
    const labels = { 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' };
    expect(podOf('importer').metadata?.labels).to.include(labels);
    const told = podOf('importer', 'told', {}, { 'sidecar.istio.io/inject': 'true' }).metadata?.labels;
    expect(told).to.include({ 'sidecar.istio.io/inject': 'true' }).and.not.have.property('istio.io/dataplane-mode');
  });

  it('is reached at its ports where OVN-Kubernetes closes the default network', () => {
    const { metadata, spec } = podOf('upload-server', 'listens', {}, {}, [{ name: 'upload', containerPort: 8443 }]);
    const opened: unknown = parse(metadata?.annotations?.['k8s.ovn.org/open-default-ports'] ?? '');
    expect(opened).to.deep.equal(
      spec?.containers[0]?.ports?.map(({ containerPort }) => ({ protocol: 'tcp', port: containerPort })),
    );
    expect(opened).to.deep.include({ protocol: 'tcp', port: 8443 });
  });
});
