import { stringify } from 'yaml';
import { customResourceDefinition } from '../src/api/crd/custom-resource-definition.ts';
import { resources } from '../src/api/resources.ts';

const HEADER = '# Generated from src/api by `npm run crds`; do not edit.\n';

const yaml = (value: unknown) => HEADER + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** Names and contents of all files of this folder that are generated. */
export function crdFiles(): Map<string, string> {
  const manifests = resources.map((resource): [string, string] => [
    `${resource.group}_${resource.plural}.yaml`,
    yaml(customResourceDefinition(resource)),
  ]);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: manifests.map(([name]) => name),
  };
  return new Map([...manifests, ['kustomization.yaml', yaml(kustomization)]]);
}
