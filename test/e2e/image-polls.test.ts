import { expect } from 'chai';
import { dataImportCronAnnotation } from '../../src/api/annotations.ts';
import { type DataImportCron, dataImportCrons } from '../../src/api/data-import-cron.ts';
import type { DataVolumeSource } from '../../src/api/source-fields.ts';
import { configMaps, secrets } from '../../src/kube/builtin-resources.ts';
import { diskFile } from '../support/disk-images.ts';
import { until } from '../support/until.ts';
import { webCredentials, webPath } from '../support/web-server.ts';
import { useSuite } from './support/suite.ts';

describe('what the controllers ask servers for, with what the source names', function () {
  this.timeout(120_000);
  const suite = useSuite();

  /** Makes a DataImportCron that looks once. */
  const look = async (name: string, source: DataVolumeSource): Promise<void> => {
    const storage = { storageClassName: suite.classes.standard, resources: { requests: { storage: '256Mi' } } };
    const spec = { template: { spec: { source, storage } }, schedule: '', managedDataSource: name };
    await suite.client.create(dataImportCrons, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataImportCron',
      metadata: { ...suite.key(name) },
      spec: { ...spec, importsToKeep: 1, retentionPolicy: 'None' },
    } satisfies DataImportCron);
  };
  const urlOf = (path: string) => `${suite.web.httpsUrl}${path}/${diskFile.qcow2}`;

  it('reads its Secret and its ConfigMap, by the right that is installed with them', async () => {
    const { client, namespace, web } = suite;
    const stringData = { accessKeyId: webCredentials.user, secretKey: webCredentials.password };
    await client.create(secrets, { metadata: { namespace, name: 'web' }, stringData });
    await client.create(configMaps, { metadata: { namespace, name: 'authority' }, data: { 'ca.crt': web.authority } });
    await look('closed', { http: { url: urlOf(webPath.private), secretRef: 'web', certConfigMap: 'authority' } });
    const digest = await until(
      client,
      dataImportCrons,
      suite.key('closed'),
      'it has been looked for',
      (cron) => cron?.metadata.annotations?.[dataImportCronAnnotation.desiredDigest],
    );
    expect(digest).to.match(/^sha256:[0-9a-f]{64}$/);
  });

  it('says which of them is missing', async () => {
    await look('missing', { http: { url: urlOf(webPath.private), secretRef: 'no-such' } });
    await until(suite.client, dataImportCrons, suite.key('missing'), 'it names the Secret', (cron) =>
      cron?.status?.conditions?.some(({ message }) => message?.includes('Secret "no-such" does not exist')),
    );
  });
});
