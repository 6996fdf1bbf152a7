import { once } from 'node:events';
import { connect } from 'node:tls';
import { cdis } from '../api/cdi.ts';
import { dataVolumes } from '../api/data-volume.ts';
import { apiServices, configMaps } from '../kube/builtin-resources.ts';
import { BUNDLE_KEY, bundleName, roleCertificates, UPLOAD_API_SERVICE } from '../protocol/installation.ts';
import { NotYet, persistently, type Step, type StepContext } from './step.ts';

const PORT = 443;
const SILENCE_MILLISECONDS = 5000;

/**
 * Asks each part of an installation whether it does its work, and changes nothing.
 *
 * @throws Error that says which does not, once there is no time left
 */
export const testInstallation: Step = async (context) => {
  for (const [what, question] of Object.entries(questions)) {
    await persistently(context, () => question(context));
    context.logger.info(`${what}: yes`, { step: 'test' });
  }
};

const questions: Readonly<Record<string, (context: StepContext) => Promise<void>>> = {
  'the controllers say that all is deployed': async ({ client, signal }) => {
    const [cdi] = await client.list(cdis, { signal });
    if (cdi?.status?.phase !== 'Deployed')
      throw new NotYet(`the CDI object has the phase "${cdi?.status?.phase ?? ''}"`);
  },
  'the API of uploads answers': async ({ client, signal }) => {
    const service = await client.get(apiServices, { namespace: '', name: UPLOAD_API_SERVICE }, { signal });
    const available = service?.status?.conditions?.find(({ type }) => type === 'Available');
    if (available?.status !== 'True')
      throw new NotYet(`APIService ${UPLOAD_API_SERVICE} is not available: ${available?.message ?? 'it is missing'}`);
  },
  'the upload proxy has the certificate that its clients know': async (context) => {
    const { client, namespace, signal } = context;
    const { service, signer } = roleCertificates.uploadproxy;
    const bundle = await client.get(configMaps, { namespace, name: bundleName(signer) }, { signal });
    const ca = bundle?.data?.[BUNDLE_KEY];
    if (!ca) throw new NotYet(`ConfigMap ${bundleName(signer)} has no certificate yet`);
    await shakeHands(`${service}.${namespace}.svc`, ca, signal);
  },
  'a DataVolume would be accepted': async ({ client, namespace, signal }) => {
    const metadata = { namespace, generateName: 'helm-test-' };
    const spec = { source: { blank: {} }, storage: { resources: { requests: { storage: '1Mi' } } } };
    await client.create(
      dataVolumes,
      { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', metadata, spec },
      { dryRun: true, signal },
    );
  },
};

/** Opens a TLS connection and closes it, at which the certificate is checked for the host's name. */
async function shakeHands(host: string, ca: string, signal: AbortSignal): Promise<void> {
  const socket = connect({ host, port: PORT, servername: host, ca });
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(SILENCE_MILLISECONDS)]);
    await once(socket, 'secureConnect', { signal: patience });
  } finally {
    socket.destroy();
  }
}
