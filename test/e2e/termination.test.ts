import { expect } from 'chai';
import { pods } from '../../src/kube/builtin-resources.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { useSuite } from './support/suite.ts';

/** 128 and the number of SIGTERM, as opposed to that of the SIGKILL which follows the grace period. */
const ENDED_WHEN_ASKED = 143;

const FINALIZER = 'diskpress.test/look';

describe("a container of the product's image", () => {
  const suite = useSuite();

  it('ends when it is asked to, also while Node starts', async () => {
    const { client, kubectl, image } = suite;
    const key = suite.key('starting');
    // A start that never comes to the program.
    const start = "console.log('starting');await%20new%20Promise(resolve=>setTimeout(resolve,1e9))";
    await client.create(pods, {
      metadata: { ...key, finalizers: [FINALIZER] },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 30,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'starting',
            image,
            imagePullPolicy: 'IfNotPresent',
            args: ['copy-target'],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            env: [{ name: 'NODE_OPTIONS', value: `--import=data:text/javascript,${start}` }],
          },
        ],
      },
    });
    try {
      const log = () => kubectl.run('logs', `--namespace=${key.namespace}`, key.name);
      await eventually('it is starting', async () => (await log()).includes('starting'), 60_000);
      await client.delete(pods, key);
      const { exitCode } = await until(client, pods, key, 'it has ended', (pod) => {
        return pod?.status?.containerStatuses?.[0]?.state?.terminated;
      });
      expect(exitCode).to.equal(ENDED_WHEN_ASKED);
    } finally {
      await client.mergePatch(pods, key, { metadata: { finalizers: null } });
    }
  });
});
