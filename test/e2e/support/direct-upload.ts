import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { configMaps, secrets, services } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { BUNDLE_KEY, bundleName, uploadClientCertificate } from '../../../src/protocol/installation.ts';
import { uploadServiceName } from '../../../src/protocol/object-names.ts';
import { COPY_PORT } from '../../../src/protocol/transfer-pod.ts';
import { productNamespace } from '../../support/environment.ts';
import { eventually } from '../../support/eventually.ts';

/** For one attempt. */
const CONNECT_MILLISECONDS = 1000;

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/**
 * Uploads to the server of a claim as the upload proxy does: over its Service, with the certificate of the
 * installation.
 *
 * @param written the claim that the server writes
 * @param length bytes of the body
 */
export async function uploadDirectly(
  client: KubeClient,
  written: ObjectKey,
  body: Readable,
  length: number,
): Promise<Answer> {
  const service = { ...written, name: uploadServiceName(written.name) };
  const [found, secret, bundle] = await Promise.all([
    client.get(services, service),
    client.get(secrets, { namespace: productNamespace, name: uploadClientCertificate.secret }),
    client.get(configMaps, { namespace: productNamespace, name: bundleName('uploadserver') }),
  ]);
  const decoded = (name: string) => Buffer.from(secret?.data?.[name] ?? '', 'base64');
  const host = found?.spec?.clusterIP ?? '';
  // What is sent before the node knows the pod of the Service is lost, however often the kernel repeats it.
  await eventually('the upload server takes connections', () => takesConnections(host));
  const request = httpsRequest({
    host,
    port: COPY_PORT,
    servername: `${service.name}.${service.namespace}.svc`,
    method: 'POST',
    path: '/v1beta1/upload',
    headers: { 'content-type': 'application/octet-stream', 'content-length': length },
    cert: decoded('tls.crt'),
    key: decoded('tls.key'),
    ca: bundle?.data?.[BUNDLE_KEY],
    agent: false,
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // The server answers a bad image before it has read all of it.
  const sent = pipeline(body, request).catch(() => undefined);
  const [response] = await answered;
  const answer = { status: response.statusCode, body: await text(response) };
  request.destroy();
  await sent;
  return answer;
}

async function takesConnections(host: string): Promise<true> {
  const socket = connect({ host, port: COPY_PORT });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MILLISECONDS) });
    return true;
  } finally {
    socket.destroy();
  }
}
