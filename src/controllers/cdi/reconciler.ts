import { type CDI, cdis } from '../../api/cdi.ts';
import { objectLabels } from '../../api/labels.ts';
import { differs } from '../../kube/apply.ts';
import type { Deployment, Pod } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { addFinalizer, removeFinalizer } from '../../kube/finalizers.ts';
import type { Informer } from '../../kube/informer.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { conditionsDiffer, withTimes } from '../runtime/conditions.ts';
import { CDI_NAME, cdiInForce } from '../runtime/config-view.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { writeConfig } from './config-writer.ts';
import { customizationsOf, isUncached, problemsOf } from './customizations.ts';
import { customize, FIELD_MANAGER } from './customizer.ts';
import { healthOf } from './deployment-health.ts';
import { deploymentNames } from './installation.ts';
import { observe, type Situation } from './observation.ts';
import { isBlocking, UNINSTALL_FINALIZER, uninstallObstacle } from './uninstall.ts';

/** How often objects that are patched and not watched are looked at. */
const LOOK_MILLISECONDS = 60_000;

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

/** What the reconciler knows of the installation itself. */
export interface InstallationView {
  /** The caches of the Deployments, by their names. */
  readonly deployments: ReadonlyMap<string, Pick<Informer<Deployment>, 'get'>>;
  /** Returns the pods of a Deployment. */
  readonly podsOf: (deployment: string) => readonly Pod[];
}

/**
 * Brings an installation to what its CDI object says, and reports how it is: copies its settings to the CDIConfig that
 * is in force, changes the Deployments and Services, and holds up its end while there are workloads, where it says so.
 */
export class CDIReconciler implements Reconciler {
  readonly name = 'cdi';
  readonly #context: ControllerContext;
  readonly #installation: InstallationView;
  /** Names of the objects that are not watched and have been seen to be as their manifests say. */
  readonly #plain = new Set<string>();

  constructor(context: ControllerContext, installation: InstallationView) {
    this.#context = context;
    this.#installation = installation;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    const inForce = cdiInForce(caches.cdis);
    if (!inForce) {
      await createIfAbsent(client, cdis, DEFAULT_CDI);
      return undefined;
    }
    const cdi = caches.cdis.get(key);
    if (!cdi) return undefined;
    if (cdi.metadata.uid !== inForce.metadata.uid) {
      await this.#report(cdi, { inForce: keyOf(inForce).name });
      return undefined;
    }
    const uninstallBlocked = uninstallObstacle(cdi, isBlocking(cdi) ? caches.dataVolumes.list() : []);
    if (cdi.metadata.deletionTimestamp && uninstallBlocked === undefined) {
      await removeFinalizer(client, cdis, cdi, UNINSTALL_FINALIZER);
      return undefined;
    }
    if (!cdi.metadata.deletionTimestamp) await this.#keepFinalizer(cdi);
    await writeConfig(this.#context, cdi);
    const { refusals, isLookedAt } = await this.#customize(cdi);
    await this.#report(cdi, { refusals, uninstallBlocked });
    return isLookedAt ? { requeueAfter: LOOK_MILLISECONDS } : undefined;
  }

  /** An object that does not hold up its end has no finalizer, so that nothing waits where everything is removed. */
  async #keepFinalizer(cdi: CDI): Promise<void> {
    const { client } = this.#context;
    if (isBlocking(cdi)) await addFinalizer(client, cdis, cdi, UNINSTALL_FINALIZER);
    else await removeFinalizer(client, cdis, cdi, UNINSTALL_FINALIZER);
  }

  async #customize({ spec }: CDI): Promise<{ refusals: readonly string[]; isLookedAt: boolean }> {
    const { client, config } = this.#context;
    const refusals = problemsOf(spec);
    let isLookedAt = false;
    for (const asked of customizationsOf(spec, config.namespace)) {
      const { key } = asked;
      if (isUncached(asked)) {
        const isAsked = asked.patches.length > 0;
        if (isAsked) this.#plain.delete(key.name);
        if (!this.#plain.has(key.name)) refusals.push(...(await customize(client, asked)));
        if (!isAsked) this.#plain.add(key.name);
        isLookedAt ||= isAsked;
      } else {
        const known = this.#installation.deployments.get(key.name)?.get(key);
        if (known) refusals.push(...(await customize(client, asked, known)));
      }
    }
    return { refusals, isLookedAt };
  }

  async #report(cdi: CDI, seen: Partial<Pick<Situation, 'refusals' | 'uninstallBlocked' | 'inForce'>>): Promise<void> {
    const { client, config, version, now } = this.#context;
    const { namespace } = config;
    const { conditions, ...status } = observe({
      cdi,
      version,
      deployments: deploymentNames.map((name) => {
        const deployment = this.#installation.deployments.get(name)?.get({ namespace, name });
        return healthOf(name, deployment, this.#installation.podsOf(name));
      }),
      refusals: [],
      uninstallBlocked: undefined,
      inForce: undefined,
      ...seen,
    });
    const recorded = cdi.status?.conditions;
    const isOld = recorded?.some(({ type }) => !conditions.some((condition) => condition.type === type));
    if (!isOld && !differs(status, cdi.status ?? {}) && !conditionsDiffer(conditions, recorded)) return;
    await client.applyStatus(
      cdis,
      {
        metadata: { name: keyOf(cdi).name },
        status: { ...status, conditions: withTimes(conditions, recorded, now()) },
      },
      { fieldManager: FIELD_MANAGER },
    );
  }
}
