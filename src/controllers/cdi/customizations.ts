import type { CDISpec } from '../../api/cdi.ts';
import { deployments, services } from '../../kube/builtin-resources.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { Described } from './customization-record.ts';
import type { Customization } from './customizer.ts';
import { flagProblems, tlsProblems } from './flags.ts';
import { customizableKinds, parts } from './installation.ts';
import { patchesOf, patchProblems } from './patches.ts';
import { settingsOf, withSettings } from './settings.ts';

/** Returns what CDI.spec asks of the objects of an installation. */
export function customizationsOf(spec: CDISpec, namespace: string): Customization<KubeObject>[] {
  return customizableKinds.flatMap(({ resource, names }) =>
    names.map((name): Customization<KubeObject> => {
      const part = resource === deployments ? parts.find(({ deployment }) => deployment === name) : undefined;
      const settings = part ? settingsOf(part, spec) : {};
      return {
        resource,
        key: { namespace, name },
        settings,
        withSettings: (manifest) =>
          part ? withSettings(part, manifest as Described & { spec: never }, settings) : manifest,
        patches: patchesOf(resource, name, spec),
        canPause: part !== undefined,
      };
    }),
  );
}

/** Returns what of CDI.spec cannot be asked of any object, for people. */
export function problemsOf(spec: CDISpec): string[] {
  return [...tlsProblems(spec), ...patchProblems(spec), ...parts.flatMap((part) => flagProblems(part, spec))];
}

/** Reports whether an object of this kind is looked at only now and then, because there is no cache of it. */
export function isUncached({ resource }: Pick<Customization<KubeObject>, 'resource'>): boolean {
  return resource === services;
}
