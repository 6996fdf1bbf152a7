import type { CDI } from '../../api/cdi.ts';
import { CDI_CONFIG_NAME, cdiConfigs, type CDIConfigSpec, type CDIConfigStatus } from '../../api/cdi-config.ts';
import { objectLabels } from '../../api/labels.ts';
import { differs, ownerReference } from '../../kube/apply.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { DEFAULT_FILESYSTEM_OVERHEAD } from '../../rendering/filesystem-overhead.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { withoutLogins } from '../runtime/proxy-login.ts';
import { DEFAULT_POD_RESOURCES } from '../runtime/settings.ts';
import { FIELD_MANAGER } from './customizer.ts';
import { mergePatchBetween } from './merge-patch.ts';

const CDI_CONFIG: ObjectKey = { namespace: '', name: CDI_CONFIG_NAME };

/** Returns the settings without what only some users may read. */
function publicConfig(spec: CDIConfigSpec): CDIConfigSpec {
  return spec.importProxy ? { ...spec, importProxy: withoutLogins(spec.importProxy) } : spec;
}

/** Returns the part of the status that the CDI controller owns; the fields of the upload proxy have another owner. */
function ownStatus({ uploadProxyURL: _, uploadProxyCA: __, ...own }: CDIConfigStatus = {}): CDIConfigStatus {
  return own;
}

/** Copies the settings of the CDI object to the CDIConfig that is in force, and reports on what is in effect. */
export async function writeConfig({ caches, client }: ControllerContext, cdi: CDI): Promise<void> {
  const recorded = caches.cdiConfigs.get(CDI_CONFIG);
  const spec = publicConfig(cdi.spec.config ?? {});
  const status = statusOf(spec, caches);
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
  if (statusPatch) await client.mergePatch(cdiConfigs, CDI_CONFIG, { status: statusPatch }, { subresource: 'status' });
}

function statusOf(spec: CDIConfigSpec, { storageClasses }: Pick<ControllerContext['caches'], 'storageClasses'>) {
  const isThere = (name = '') => storageClasses.get({ namespace: '', name }) !== undefined;
  const global = spec.filesystemOverhead?.global ?? DEFAULT_FILESYSTEM_OVERHEAD;
  const storageClass = Object.fromEntries(
    storageClasses.list().map(({ metadata }) => {
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
