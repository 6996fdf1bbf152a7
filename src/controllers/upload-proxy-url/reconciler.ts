import { CDI_CONFIG_NAME, cdiConfigs } from '../../api/cdi-config.ts';
import type { ConfigMap } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { BUNDLE_KEY } from '../../protocol/installation.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { type Candidates, givenUrl, wayInOf } from './way-in.ts';

const FIELD_MANAGER = 'diskpress-upload-proxy-url';
/** The only object that is reconciled. */
export const CDI_CONFIG: ObjectKey = { namespace: '', name: CDI_CONFIG_NAME };

/** Writes into the status of CDIConfig where clients find the upload proxy, and whose certificate it shows. */
export class UploadProxyUrlReconciler implements Reconciler {
  readonly name = 'upload-proxy-url';
  readonly #context: Pick<ControllerContext, 'caches' | 'client'>;
  readonly #candidates: () => Candidates;
  readonly #authorities: Pick<Informer<ConfigMap>, 'list'>;

  /**
   * @param candidates reads what may lead to the upload proxy
   * @param authorities those of the proxy's own certificate
   */
  constructor(
    context: Pick<ControllerContext, 'caches' | 'client'>,
    candidates: () => Candidates,
    authorities: Pick<Informer<ConfigMap>, 'list'>,
  ) {
    this.#context = context;
    this.#candidates = candidates;
    this.#authorities = authorities;
  }

  async reconcile(): Promise<Result> {
    const { caches, client } = this.#context;
    const config = caches.cdiConfigs.get(CDI_CONFIG);
    if (!config) return undefined;
    const override = config.spec.uploadProxyURLOverride;
    const wayIn = override ? undefined : wayInOf(this.#candidates());
    const uploadProxyURL = override ? givenUrl(override) : wayIn?.url;
    const uploadProxyCA = wayIn?.ca ?? this.#authorities.list()[0]?.data?.[BUNDLE_KEY];
    const recorded = config.status;
    if (recorded?.uploadProxyURL === uploadProxyURL && recorded?.uploadProxyCA === uploadProxyCA) return undefined;
    await client.mergePatch(
      cdiConfigs,
      CDI_CONFIG,
      { status: { uploadProxyURL: uploadProxyURL ?? null, uploadProxyCA: uploadProxyCA ?? null } },
      { subresource: 'status', fieldManager: FIELD_MANAGER },
    );
    return undefined;
  }
}
