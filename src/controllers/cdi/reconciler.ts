import { type CDI, cdis } from '../../api/cdi.ts';
import { CDI_CONFIG_NAME, cdiConfigs, type CDIConfigSpec, type CDIConfigStatus } from '../../api/cdi-config.ts';
import { objectLabels } from '../../api/labels.ts';
import { differs, ownerReference } from '../../kube/apply.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { DEFAULT_FILESYSTEM_OVERHEAD } from '../../rendering/filesystem-overhead.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { CDI_NAME } from '../runtime/config-view.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { withoutLogins } from '../runtime/proxy-login.ts';
import { DEFAULT_POD_RESOURCES } from '../runtime/settings.ts';
import { mergePatchBetween } from './merge-patch.ts';

const FIELD_MANAGER = 'diskpress-cdi';
const CDI_CONFIG: ObjectKey = { namespace: '', name: CDI_CONFIG_NAME };

/**
 * An installation without settings of its own. The controller creates it, because the CRD of its kind is only installed
 * along with the controller.
 */
const DEFAULT_CDI: CDI = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'CDI',
  metadata: { name: CDI_NAME, labels: { ...objectLabels } },
  spec: { config: { featureGates: ['HonorWaitForFirstConsumer'] } },
};

/** Returns the settings without what only some users may read. */
function publicConfig(spec: CDIConfigSpec): CDIConfigSpec {
  return spec.importProxy ? { ...spec, importProxy: withoutLogins(spec.importProxy) } : spec;
}

/** Returns the part of the status that this reconciler owns; the fields of the upload proxy have another owner. */
function ownStatus({ uploadProxyURL: _, uploadProxyCA: __, ...own }: CDIConfigStatus = {}): CDIConfigStatus {
  return own;
}

/** Copies the CDI object's settings to the CDIConfig that is in force, and reports on both what is in effect. */
export class CDIReconciler implements Reconciler {
  readonly name = 'cdi';
  readonly #context: ControllerContext;
  readonly #version: string;

  constructor(context: ControllerContext, version: string) {
    this.#context = context;
    this.#version = version;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    if (caches.cdis.size === 0) {
      await createIfAbsent(client, cdis, DEFAULT_CDI);
      return undefined;
    }
    const cdi = caches.cdis.get(key);
    if (!cdi || cdi.metadata.deletionTimestamp) return undefined;
    await this.#writeConfig(cdi);
    await this.#reportDeployed(cdi);
    return undefined;
  }

  async #writeConfig(cdi: CDI): Promise<void> {
    const { caches, client } = this.#context;
    const recorded = caches.cdiConfigs.get(CDI_CONFIG);
    const spec = publicConfig(cdi.spec.config ?? {});
    const status = this.#configStatus(spec);
    const metadata = { labels: { ...objectLabels }, ownerReferences: [ownerReference(cdi, { controller: true })] };
    if (!recorded) {
      const config = { metadata: { name: CDI_CONFIG_NAME, ...metadata }, spec };
      await client.apply(cdiConfigs, config, { fieldManager: FIELD_MANAGER });
    }
    const specPatch = recorded && mergePatchBetween(recorded.spec, spec);
    const hasOtherOwner = recorded && differs(metadata, recorded.metadata);
    if (specPatch || hasOtherOwner) {
      await client.mergePatch(cdiConfigs, CDI_CONFIG, {
        ...(hasOtherOwner ? { metadata } : {}),
        ...(specPatch ? { spec: specPatch } : {}),
      });
    }
    const statusPatch = mergePatchBetween(ownStatus(recorded?.status), status);
    if (statusPatch)
      await client.mergePatch(cdiConfigs, CDI_CONFIG, { status: statusPatch }, { subresource: 'status' });
  }

  #configStatus(spec: CDIConfigSpec): CDIConfigStatus {
    const isThere = (name = '') => this.#context.caches.storageClasses.get({ namespace: '', name }) !== undefined;
    const global = spec.filesystemOverhead?.global ?? DEFAULT_FILESYSTEM_OVERHEAD;
    const storageClass = Object.fromEntries(
      this.#context.caches.storageClasses.list().map(({ metadata }) => {
        const name = metadata?.name ?? '';
        return [name, spec.filesystemOverhead?.storageClass?.[name] ?? global];
      }),
    );
    return {
      filesystemOverhead: { global, storageClass },
      preallocation: spec.preallocation ?? false,
      defaultPodResourceRequirements: {
        requests: { ...DEFAULT_POD_RESOURCES.requests, ...spec.podResourceRequirements?.requests },
        limits: { ...DEFAULT_POD_RESOURCES.limits, ...spec.podResourceRequirements?.limits },
      },
      ...(spec.importProxy ? { importProxy: spec.importProxy } : {}),
      ...(isThere(spec.scratchSpaceStorageClass) ? { scratchSpaceStorageClass: spec.scratchSpaceStorageClass } : {}),
      ...(spec.imagePullSecrets ? { imagePullSecrets: spec.imagePullSecrets } : {}),
    };
  }

  /** Reports that the installation is deployed, which is true as soon as this code runs. */
  async #reportDeployed(cdi: CDI): Promise<void> {
    const time = `${new Date(this.#context.now()).toISOString().slice(0, 19)}Z`;
    const states = { Available: 'True', Progressing: 'False', Degraded: 'False' } as const;
    const status = {
      phase: 'Deployed' as const,
      operatorVersion: this.#version,
      targetVersion: this.#version,
      observedVersion: this.#version,
    };
    const conditions = Object.entries(states).map(([type, value]) => ({
      type: type as keyof typeof states,
      status: value,
      reason: 'DeployCompleted',
    }));
    const recorded = (type: string) => cdi.status?.conditions?.find((candidate) => candidate.type === type);
    const same =
      !differs(status, cdi.status ?? {}) &&
      conditions.every((condition) => !differs(condition, recorded(condition.type) ?? {}));
    if (same) return;
    await this.#context.client.applyStatus(
      cdis,
      {
        metadata: { name: keyOf(cdi).name },
        status: {
          ...status,
          conditions: conditions.map((condition) => ({
            ...condition,
            lastHeartbeatTime: time,
            lastTransitionTime: recorded(condition.type)?.lastTransitionTime ?? time,
          })),
        },
      },
      { fieldManager: FIELD_MANAGER },
    );
  }
}
