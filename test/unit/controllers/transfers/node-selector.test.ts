import { expect } from 'chai';
import { userAnnotation } from '../../../../src/api/annotations.ts';
import { DEFAULT_POD_RESOURCES, type TransferSettings } from '../../../../src/controllers/runtime/settings.ts';
import { onSelectedNodes } from '../../../../src/controllers/transfers/node-selector.ts';
import { TerminalError } from '../../../../src/kube/errors.ts';

const settings: TransferSettings = {
  image: 'diskpress',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  podResources: DEFAULT_POD_RESOURCES,
  workloadPlacement: {
    nodeSelector: { pool: 'transfers' },
    tolerations: [{ key: 'transfers', operator: 'Exists' }],
  },
};

function placementFor(written: string | undefined, options: { replaces: boolean }) {
  const annotations: Record<string, string> =
    written === undefined ? {} : { [userAnnotation.podNodeSelector]: written };
  return onSelectedNodes(settings, annotations, options).workloadPlacement;
}

describe('the nodes that a claim selects', () => {
  it('are those of the installation where it selects none', () => {
    expect(placementFor(undefined, { replaces: true })).to.equal(settings.workloadPlacement);
  });

  it('are selected in place of those of the installation where only some reach the source, whose taints stay tolerated', () => {
    expect(placementFor('{"network":"vmware"}', { replaces: true })).to.deep.equal({
      nodeSelector: { network: 'vmware' },
      tolerations: settings.workloadPlacement.tolerations,
    });
  });

  it('are among those of the installation otherwise', () => {
    const { nodeSelector } = placementFor('{"zone":"a","pool":"others"}', { replaces: false });
    expect(nodeSelector).to.deep.equal({ zone: 'a', pool: 'transfers' });
  });

  for (const written of ['network=vmware', '["a"]', '{"a":1}', 'null', '"a"']) {
    it(`are not guessed from ${written}`, () => {
      expect(() => placementFor(written, { replaces: true })).to.throw(TerminalError, 'JSON object of node labels');
    });
  }
});
