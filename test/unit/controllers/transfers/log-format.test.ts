import { expect } from 'chai';
import type { CDIConfigSpec } from '../../../../src/api/cdi-config.ts';
import { ConfigView } from '../../../../src/controllers/runtime/config-view.ts';
import type { InstallationSettings } from '../../../../src/controllers/runtime/settings.ts';
import { transferPod } from '../../../../src/controllers/transfers/transfer-pod.ts';

/** The environment of a transfer pod. */
function environmentOf(logFormat: InstallationSettings['logFormat'], spec: CDIConfigSpec = {}) {
  const caches = { cdis: { get: () => undefined, list: () => [] }, cdiConfigs: { get: () => ({ spec }) } };
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

  it('say as much as the settings ask for', () => {
    for (const [logVerbosity, value] of Object.entries({ 1: 'info', 3: 'verbose', 5: 'debug', 9: 'debug' })) {
      const environment = environmentOf(undefined, { logVerbosity: Number(logVerbosity) });
      expect(environment, logVerbosity).to.deep.include({ name: 'LOG_LEVEL', value });
    }
  });
});
