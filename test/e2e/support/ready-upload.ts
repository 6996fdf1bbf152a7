import { dataVolumes } from '../../../src/api/data-volume.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { dataVolume } from '../../support/data-volumes.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';
import type { UploadClients } from './upload-clients.ts';

/** Makes a DataVolume that waits for its image, and requests a token for it. */
export async function readyUpload(
  suite: Suite,
  clients: UploadClients,
  name: string,
): Promise<{ key: ObjectKey; token: string }> {
  const key = suite.key(name);
  const options = { storageClassName: suite.classes.standard };
  await suite.client.create(dataVolumes, dataVolume(key, { upload: {} }, options));
  await until(suite.client, dataVolumes, key, 'it is ready', (found) => found?.status?.phase === 'UploadReady');
  return { key, token: await clients.token(key) };
}
