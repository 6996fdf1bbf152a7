import { expect } from 'chai';
import { ConfigView } from '../../../../src/controllers/runtime/config-view.ts';
import type { InstallationSettings } from '../../../../src/controllers/runtime/settings.ts';
import { transferPod } from '../../../../src/controllers/transfers/transfer-pod.ts';

const caches = { cdis: { get: () => undefined, list: () => [] }, cdiConfigs: { get: () => undefined } };

/** The environment of a transfer pod. */
function environmentOf(logFormat: InstallationSettings['logFormat']) {
  const installation = { image: 'diskpress', namespace: 'cdi', ...(logFormat && { logFormat }) };
  const { transferSettings } = new ConfigView(caches as never, installation);
  const pod = transferPod(
    {
      name: 'importer-disk',
      namespace: 'team',
      role: 'importer',
      env: { REQUEST: '{}' },
      claim: { name: 'disk', volumeMode: 'Filesystem', readOnly: false },
      mounts: [],
      claimAnnotations: {},
      worksFor: { metadata: { namespace: 'team', name: 'disk', uid: '1' } },
      restarts: 0,
    },
    transferSettings,
  );
  return pod.spec?.containers[0]?.env;
}

describe('the logs of transfer pods', () => {
  it('are JSON where those of the controllers are', () => {
    expect(environmentOf('json')).to.deep.include({ name: 'LOG_FORMAT', value: 'json' });
    for (const format of ['text', undefined] as const)
      expect(environmentOf(format)).to.deep.equal([{ name: 'REQUEST', value: '{}' }]);
  });
});
