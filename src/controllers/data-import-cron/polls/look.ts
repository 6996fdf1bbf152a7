import type { DataImportCron } from '../../../api/data-import-cron.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import type { ImagePoller, ImageVersion, KnownVersion } from '../../image-polls/image-poller.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { requireAuthority } from '../authority.ts';

/**
 * Finds out which version there is of a DataImportCron's image; of a claim, it is told by its uid.
 *
 * @throws Error that says what is in the way
 */
export async function lookAtSource(
  context: Pick<ControllerContext, 'caches' | 'client' | 'policies'>,
  poller: ImagePoller,
  cron: DataImportCron,
  options: { readonly known: KnownVersion | undefined; readonly signal: AbortSignal },
): Promise<ImageVersion> {
  const { namespace } = keyOf(cron);
  const { source = {} } = cron.spec.template.spec;
  if (!source.pvc) return poller.poll(namespace, source, options.known, options.signal);
  await requireAuthority(context, cron);
  const key = { namespace: source.pvc.namespace || namespace, name: source.pvc.name };
  const claim = context.caches.claims.get(key);
  if (!claim) throw new Error(`PersistentVolumeClaim ${keyToString(key)} does not exist`);
  const digest = `uid:${claim.metadata?.uid}`;
  return { digest, unchanged: digest === options.known?.digest };
}
