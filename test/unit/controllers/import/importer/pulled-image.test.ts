import { expect } from 'chai';
import { withPulledImage } from '../../../../../src/controllers/import/importer/pulled-image.ts';

const pod = {
  metadata: { name: 'importer-disk' },
  spec: {
    restartPolicy: 'Never',
    imagePullSecrets: [{ name: 'ours' }],
    containers: [{ name: 'importer', image: 'diskpress' }],
  },
};

describe('a pod with a pulled image', () => {
  it('has a sidecar that runs our program, restricted as the importer is', () => {
    const { spec } = withPulledImage(pod, {
      image: 'registry/disk:1',
      secretName: undefined,
      architecture: undefined,
    });
    expect(spec?.shareProcessNamespace).to.equal(true);
    const [provide, image] = spec?.initContainers ?? [];
    expect(provide).to.include({ image: 'diskpress' });
    expect(image).to.include({ image: 'registry/disk:1', restartPolicy: 'Always' });
    for (const container of [provide, image]) {
      expect(container?.securityContext).to.deep.include({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
    // Kubernetes takes $(NAME) for a variable, and two dollar signs for one.
    expect(image?.command?.at(-1)?.replaceAll('$$', '$')).to.match(/^echo \$\$ > \S+\/pid; exec /);
  });

  it('pulls with the Secret of the source too, on a node of the wanted architecture', () => {
    const { spec } = withPulledImage(pod, {
      image: 'registry/disk:1',
      secretName: 'theirs',
      architecture: 'arm64',
    });
    expect(spec?.imagePullSecrets).to.deep.equal([{ name: 'ours' }, { name: 'theirs' }]);
    expect(spec?.nodeSelector).to.deep.equal({ 'kubernetes.io/arch': 'arm64' });
  });
});
