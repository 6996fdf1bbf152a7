import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pods } from '../../../src/kube/builtin-resources.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';

let count = 0;

/**
 * Identifiers of the volumes and snapshots that the test cluster's CSI driver holds, whatever Kubernetes knows of them.
 */
export async function entriesOfDriver({ client, image, kubeConfigPath }: Suite): Promise<string[]> {
  count += 1;
  const key = { namespace: 'default', name: `storage-${process.pid}-${count}` };
  await client.create(pods, {
    metadata: key,
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'list',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: [
            'sh',
            '-c',
            'cd /pool && ls volumes snapshots > /tmp/list && gzip -c /tmp/list | base64 -w 0 > /dev/termination-log',
          ],
          securityContext: { runAsUser: 0 },
          volumeMounts: [
            { name: 'pool', mountPath: '/pool', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'pool', hostPath: { path: `${dirname(kubeConfigPath)}/disk/pool` } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  });
  try {
    const ended = await until(client, pods, key, 'it has listed the entries', (pod) => {
      return pod?.status?.containerStatuses?.[0]?.state?.terminated;
    });
    if (ended.exitCode !== 0) throw new Error(`the driver's storage could not be listed: ${ended.message}`);
    const text = gunzipSync(Buffer.from(ended.message ?? '', 'base64')).toString();
    return text.split('\n').filter((line) => /^[a-z]+-/.test(line));
  } finally {
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
  }
}
