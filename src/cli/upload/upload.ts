import { env } from 'node:process';
import type { CDIConfig } from '../../api/cdi-config.ts';
import type { Checksum } from '../../base/checksum.ts';
import { TransferError } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import type { Progress } from '../../base/progress.ts';
import type { KubeClient } from '../../kube/client.ts';
import { connect } from '../../kube/connect.ts';
import { Proxies, proxiesOf } from '../../source/http/proxies.ts';
import { print, printLines, tell } from '../output.ts';
import { followProgress } from '../progress-report.ts';
import { hasSucceeded, untilReady, untilSucceeded } from './await-target.ts';
import { claimTarget } from './claim-target.ts';
import { dataVolumeTarget } from './data-volume-target.ts';
import { diskSize } from './disk-size.ts';
import { LocalImage } from './local-image.ts';
import { proxyUrl, readConfig } from './proxy-location.ts';
import { sendImage } from './send-image.ts';
import { type NewTarget, UploadTarget } from './target.ts';
import { parseTarget } from './target-name.ts';
import { UploadTokens } from './tokens.ts';
import { UploadProxy } from './upload-proxy.ts';

export interface UploadOptions {
  readonly namespace?: string;
  /** A quantity. */
  readonly size?: string;
  readonly storageClass?: string;
  readonly accessMode?: NonNullable<NewTarget['accessMode']>;
  readonly volumeMode?: 'Filesystem' | 'Block';
  readonly archive?: boolean;
  readonly forceBind?: boolean;
  /** Whether a target that does not exist is made. */
  readonly create: boolean;
  readonly sha256?: Checksum;
  /** Seconds. */
  readonly wait: number;
  readonly uploadproxyUrl?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

/** The share of a Filesystem volume that is left to it, where the cluster does not say: that of new installations. */
const ORDINARY_OVERHEAD = 0.06;

/**
 * Uploads an image into a claim of the cluster in the current context of the kubeconfig, and waits until it is in
 * place.
 *
 * @param file a path, or - for standard input
 * @param given `dv/NAME` or `pvc/NAME`
 * @throws TransferError
 */
export async function upload(
  file: string,
  given: string | undefined,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kind, name } = parseTarget(given, file);
  const { json = false } = options;
  const started = performance.now();
  const image = await LocalImage.open(file);
  const cluster = connectToCluster();
  const { progress, following } = followProgress(json);
  try {
    const { client } = cluster;
    const key = { namespace: options.namespace ?? cluster.namespace, name };
    const target =
      kind === 'DataVolume'
        ? new UploadTarget(client, dataVolumeTarget, key)
        : new UploadTarget(client, claimTarget, key);
    await uploadInto(target, { image, file, client, namespace: key.namespace, options, progress, signal });
    following.stop();
    tellResult(target, progress, (performance.now() - started) / 1000, json);
  } catch (error) {
    following.stop();
    throw error;
  } finally {
    await image.close();
    await cluster.client.close();
  }
}

interface Upload {
  readonly image: LocalImage;
  readonly file: string;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly options: UploadOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function uploadInto(target: UploadTarget, upload: Upload): Promise<void> {
  const { image, client, namespace, options, progress, signal } = upload;
  const config = await configOf(upload);
  const proxy = await openProxy(config, options);
  try {
    await provide(target, config, upload);
    const { claimName, stage } = await untilReady(target, { progress, signal, timeout: options.wait * 1000 });
    if (stage === 'succeeded') {
      throw new TransferError('InvalidRequest', `${target.shown} has its data already, by another upload`);
    }
    const tokens = new UploadTokens(client, { namespace, name: claimName });
    const isComplete = () => hasSucceeded(target, signal);
    await sendImage({ image, proxy, tokens, progress, checksum: options.sha256, isComplete, signal });
    await untilSucceeded(target, { progress, signal });
  } catch (error) {
    if (signal.aborted) tellHowToGoOn(target, options);
    throw error;
  } finally {
    await proxy.close();
  }
}

/** Reads the settings of the cluster; a user without the right to read them names the proxy. */
async function configOf({ client, options, signal }: Upload): Promise<CDIConfig | undefined> {
  try {
    return await readConfig(client, signal);
  } catch (error) {
    const isDenied = error instanceof TransferError && error.code === 'Forbidden';
    if (isDenied && options.uploadproxyUrl !== undefined) return undefined;
    throw error;
  }
}

function openProxy(config: CDIConfig | undefined, options: UploadOptions): Promise<UploadProxy> {
  const { uploadproxyUrl, ca, insecure = false } = options;
  const authority = config?.status?.uploadProxyCA;
  return UploadProxy.create({
    url: proxyUrl(config, uploadproxyUrl),
    certificates: authority ? [authority] : [],
    certificatesDirectories: ca === undefined ? [] : [ca],
    insecureSkipVerify: insecure,
    proxies: new Proxies(proxiesOf(env)),
  });
}

/** Makes the target, where it does not exist. */
async function provide(target: UploadTarget, config: CDIConfig | undefined, upload: Upload): Promise<void> {
  const { file, image, options, progress, signal } = upload;
  const { storageClass: storageClassName, accessMode, volumeMode, archive = false, forceBind = false } = options;
  const contentType = archive ? 'archive' : 'kubevirt';
  if (image.size === 0) throw new TransferError('InvalidRequest', `${image.location} is empty`);
  if (await target.exists(contentType, signal)) {
    if (forceBind) await target.bindImmediately(signal);
    return;
  }
  if (!options.create) throw new TransferError('NotFound', `${target.shown} does not exist`);
  const size = options.size ?? (await diskSize(file, contentType));
  await target.create(
    {
      ...{ size, contentType, storageClassName, accessMode, volumeMode },
      filesystemOverhead: claimOverhead(config, storageClassName),
      bindsImmediately: forceBind,
    },
    signal,
  );
  progress.note('made', { what: target.shown, size });
}

/** Returns the overhead that claims have to be made with; undefined where the cluster completes them. */
function claimOverhead(config: CDIConfig | undefined, storageClassName = ''): number | undefined {
  if (config?.spec.webhookPvcRendering !== 'Disabled') return undefined;
  const { storageClass, global } = config.status?.filesystemOverhead ?? {};
  return Number(storageClass?.[storageClassName] ?? global ?? ORDINARY_OVERHEAD);
}

function connectToCluster(): ReturnType<typeof connect> {
  try {
    return connect('diskpress-cli');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TransferError('InvalidRequest', `${why}: set KUBECONFIG, or choose a context`, { cause: error });
  }
}

function tellResult(target: UploadTarget, { counters }: Progress, seconds: number, json: boolean): void {
  const { bytesRead, bytesSkipped } = counters;
  if (json) {
    print({ step: 'uploaded', target: target.shown, bytesSent: bytesRead, bytesSkipped, seconds });
    return;
  }
  const skipped = bytesSkipped > 0 ? ` (${formatBytes(bytesSkipped)} had been sent before)` : '';
  printLines([`${target.shown}: ${formatBytes(bytesRead)} sent${skipped}, ${seconds.toFixed(1)} s`]);
}

function tellHowToGoOn(target: UploadTarget, { json = false }: UploadOptions): void {
  if (json) print({ step: 'resumable', target: target.shown });
  else tell(`${target.shown} is unfinished; the same command goes on from here`);
}
