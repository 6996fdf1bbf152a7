import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { cdis } from '../../../src/api/cdi.ts';
import { CDI_CONFIG_NAME, cdiConfigs } from '../../../src/api/cdi-config.ts';
import { services } from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { roleCertificates } from '../../../src/protocol/installation.ts';
import { run } from '../../cluster/commands.ts';
import { virtctlBinary } from '../../cluster/index.ts';
import { productNamespace } from '../../support/environment.ts';
import { eventually } from '../../support/eventually.ts';
import { productCommand } from '../../support/product-command.ts';
import { until } from '../../support/until.ts';
import { hasOwnDriver } from './own-classes.ts';
import { ProxyPort } from './proxy-port.ts';
import type { Suite } from './suite.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PATIENCE_MILLISECONDS = 120_000;
/** Longer than a suite takes. */
const LASTING_MILLISECONDS = 1_800_000;
const CDI = { namespace: '', name: 'cdi' };
const CONFIG = { namespace: '', name: CDI_CONFIG_NAME };

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The clients that users upload with, on this machine. */
export interface UploadClients {
  /** The way from them to the upload proxy. */
  readonly port: ProxyPort;
  /** A file with the certificate of the proxy's authority. */
  readonly authority: string;
  /** Runs `virtctl image-upload` in the suite's namespace; rejects with what it says where it fails. */
  readonly virtctl: (...args: string[]) => Promise<string>;
  /** Starts `diskpress upload` in the suite's namespace. */
  readonly diskpress: (...args: string[]) => { readonly ended: Promise<Ended>; readonly interrupt: () => void };
  /** Requests a token as kubectl does. */
  readonly token: (claim: ObjectKey) => Promise<string>;
  /** Sends a request with curl; resolves to the status and the body of its answer. */
  readonly curl: (path: string, ...args: string[]) => Promise<{ status: number; body: string }>;
}

/**
 * Has the upload proxy reached through a port of this machine while a suite runs. The suite is skipped in clusters
 * whose addresses are not reachable from here.
 */
export function useUploadClients(suite: Suite): UploadClients {
  const clients = {} as { -readonly [Field in keyof UploadClients]: UploadClients[Field] };
  let port: ProxyPort | undefined;

  before('have the upload proxy reached', async function () {
    // virtctl is compiled on the first run.
    this.timeout(0);
    if (!hasOwnDriver(suite)) this.skip();
    const virtctl = await virtctlBinary();
    const { client, kubectl, state, namespace, kubeConfigPath: KUBECONFIG } = suite;
    const service = { namespace: productNamespace, name: roleCertificates.uploadproxy.service };
    const host = (await client.get(services, service))?.spec?.clusterIP ?? '';
    port = await ProxyPort.start({ host, port: 443 });
    await override(suite, port.url);
    const authority = join(state, 'upload-proxy.pem');
    await writeFile(authority, await trustedAuthority(suite, port));
    const virtctlEnvironment = { KUBECONFIG, SSL_CERT_FILE: authority, SSL_CERT_DIR: '/nonexistent' };
    Object.assign(clients, {
      port,
      authority,
      virtctl: (...args) =>
        run(virtctl, ['image-upload', '--namespace', namespace, ...args], { env: virtctlEnvironment }),
      diskpress: (...args) => {
        const child = spawn(execPath, [...productCommand, 'upload', '--namespace', namespace, ...args], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...env, KUBECONFIG },
        });
        const code = new Promise<number | null>((resolve) => child.once('close', resolve));
        const ended = Promise.all([text(child.stdout), text(child.stderr), code]);
        return {
          ended: ended.then(([stdout, stderr, status]) => ({ code: status, stdout, stderr })),
          interrupt: () => child.kill('SIGINT'),
        };
      },
      token: async (claim) => {
        const request = {
          apiVersion: 'upload.cdi.kubevirt.io/v1beta1',
          kind: 'UploadTokenRequest',
          metadata: { ...claim },
          spec: { pvcName: claim.name },
        };
        const made = await kubectl.create(JSON.stringify(request), { output: 'jsonpath={.status.token}' });
        return made.trim();
      },
      curl: async (path, ...args) => {
        const output = await run('curl', [
          ...['--silent', '--show-error', '--cacert', authority, '--max-time', '120', '--write-out', '\n%{http_code}'],
          ...args,
          `${port?.url}${path}`,
        ]);
        const end = output.lastIndexOf('\n');
        return { status: Number(output.slice(end + 1)), body: output.slice(0, end) };
      },
    } satisfies UploadClients);
  });

  after('have the upload proxy reached as before', async () => {
    if (port === undefined) return;
    await override(suite, null);
    await port.stop();
  });

  return clients;
}

async function override({ client }: Suite, url: string | null): Promise<void> {
  // `null` removes it, in a merge patch.
  const config = { uploadProxyURLOverride: url as string };
  await client.mergePatch(cdis, CDI, { spec: { config } });
  await until(client, cdiConfigs, CONFIG, 'it has the URL', (found) => {
    return (found?.spec.uploadProxyURLOverride ?? null) === url;
  });
}

/** Waits until the proxy shows a certificate for the port by the authority that the cluster names; resolves to that. */
async function trustedAuthority({ client }: Suite, { url }: ProxyPort): Promise<string> {
  return eventually(
    `the upload proxy is trusted at ${url}`,
    async () => {
      const ca = (await client.get(cdiConfigs, CONFIG))?.status?.uploadProxyCA;
      if (!ca) throw new Error('the CDIConfig names no authority');
      // An earlier suite has authorities replaced after seconds.
      if (!certificatesIn(ca).every(lasts)) throw new Error('its authority is about to be replaced');
      const { hostname, port } = new URL(url);
      const socket = connect({ host: '127.0.0.1', port: Number(port), servername: hostname, ca });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      socket.destroy();
      return ca;
    },
    PATIENCE_MILLISECONDS,
  );
}

function certificatesIn(bundle: string): X509Certificate[] {
  return (bundle.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
}

function lasts({ validTo }: X509Certificate): boolean {
  return Date.parse(validTo) > Date.now() + LASTING_MILLISECONDS;
}
