import { CDI_GROUP } from '../../api/group.ts';
import type { Deployment } from '../../kube/builtin-resources.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { CLAIM_WEBHOOK_CONFIGURATION, roleCertificates, UPLOAD_API_SERVICE } from '../../protocol/installation.ts';
import type { Contents } from './contents.ts';
import { type Outlook, outlook } from './fate.ts';
import type { CustomResourceDefinition } from './resources.ts';

const API_SERVICE_NAME = roleCertificates.apiserver.service;
const WORKERS = ['cdi-deployment', 'cdi-apiserver', 'cdi-uploadproxy'];
const PART_OF = 'app.kubernetes.io/part-of';
/** Kinds of owners that install CDI again when it is stopped. */
const INSTALLERS = ['ClusterServiceVersion', 'HyperConverged'];

/** Returns what stands in the way of Diskpress, of what CDI has installed. */
export function installationOutlooks(contents: Contents): Outlook[] {
  return [
    ...contents.deployments.flatMap(deploymentOutlook),
    ...contents.validatingWebhooks.flatMap((each) => webhookOutlook(each, 'ValidatingWebhookConfiguration')),
    ...contents.mutatingWebhooks
      .filter(({ metadata }) => metadata?.name !== CLAIM_WEBHOOK_CONFIGURATION)
      .flatMap((each) => webhookOutlook(each, 'MutatingWebhookConfiguration')),
    ...contents.apiServices.flatMap((each) => {
      const isOther = each.spec?.group === 'upload.cdi.kubevirt.io' && each.metadata?.name !== UPLOAD_API_SERVICE;
      return isOther ? [blocked(each, 'APIService', 'is served by nobody: delete it')] : [];
    }),
    ...contents.crds.filter(({ spec }) => spec.group === CDI_GROUP).map(crdOutlook),
    ...contents.cronJobs.map((each) => blocked(each, 'CronJob', 'looks for new images, as Diskpress does: delete it')),
    ...contents.cdis.map((each) => outlook(each, 'CDI', 'kept', cdiWhy(each))),
  ];
}

function deploymentOutlook(deployment: Deployment): Outlook[] {
  const { name = '', namespace = '', labels, ownerReferences = [] } = deployment.metadata ?? {};
  const installer = ownerReferences.find(({ kind }) => INSTALLERS.includes(kind));
  if (name === 'cdi-operator') {
    const first = installer ? `${installer.kind} "${installer.name}" makes it again: have CDI removed there; ` : '';
    const why = `${first}would undo what Diskpress does: kubectl -n ${namespace} scale deployment cdi-operator --replicas=0`;
    return (deployment.spec?.replicas ?? 1) > 0
      ? [blocked(deployment, 'Deployment', why)]
      : [outlook(deployment, 'Deployment', 'kept', 'is stopped')];
  }
  const isOfCdi = WORKERS.includes(name) && labels?.[PART_OF] !== 'diskpress' && hasImageOfCdi(deployment);
  if (!isOfCdi) return [];
  const why = `is at work: kubectl -n ${namespace} delete deployment ${name}, once cdi-operator is stopped`;
  return [blocked(deployment, 'Deployment', why)];
}

/** The Deployments of Diskpress have the same names. */
function hasImageOfCdi({ spec }: Deployment): boolean {
  return spec?.template.spec?.containers.some(({ image = '' }) => /(^|\/)[^/]*cdi-[^/]*$/.test(image)) ?? false;
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly clientConfig: { readonly service?: { readonly name: string } } }[];
}

function webhookOutlook(configuration: WebhookConfiguration, kind: string): Outlook[] {
  const isOfCdi = configuration.webhooks?.some(({ clientConfig }) => clientConfig.service?.name === API_SERVICE_NAME);
  const name = configuration.metadata?.name ?? '';
  const why = `asks a server that will be gone, and everything it is asked about is refused: kubectl delete ${kind.toLowerCase()} ${name}`;
  return isOfCdi ? [blocked(configuration, kind, why)] : [];
}

function crdOutlook(crd: CustomResourceDefinition): Outlook {
  const kind = 'CustomResourceDefinition';
  const name = crd.metadata?.name ?? '';
  const served = name === `datavolumes.${CDI_GROUP}` ? ['v1beta1', 'v1alpha1'] : ['v1beta1'];
  const stored = (crd.status?.storedVersions ?? []).filter((version) => !served.includes(version));
  if (stored.length > 0) {
    const versions = crd.status?.storedVersions?.filter((version) => served.includes(version)) ?? [];
    const patch = JSON.stringify({ status: { storedVersions: versions.length > 0 ? versions : served.slice(0, 1) } });
    return blocked(
      crd,
      kind,
      `may have objects stored as ${stored.join(', ')}: kubectl get ${name} -A -o json | kubectl replace -f -, then kubectl patch crd ${name} --subresource=status --type=merge -p '${patch}'`,
    );
  }
  const owner = crd.metadata?.ownerReferences?.find((reference) => reference.kind === 'CDI');
  if (owner) {
    return blocked(
      crd,
      kind,
      `goes, with all objects of its kind and their claims, when CDI "${owner.name}" is deleted: kubectl patch crd ${name} --type=merge -p '{"metadata":{"ownerReferences":null}}'`,
    );
  }
  return outlook(crd, kind, 'kept', 'is replaced by that of Diskpress, and its objects stay');
}

function cdiWhy({ metadata }: Contents['cdis'][number]): string {
  const others = metadata.name === 'cdi' ? '' : '; Diskpress looks after the one that is called cdi';
  return `its settings apply${others}`;
}

function blocked(object: KubeObject, kind: string, why: string): Outlook {
  return outlook(object, kind, 'blocked', why);
}
