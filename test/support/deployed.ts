import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';

/** Where what is installed lies. */
export const deployFolder = join(import.meta.dirname, '../../deploy');

/** The objects in one file of that folder. */
export function objectsIn(path: string): KubernetesObject[] {
  const text = readFileSync(join(deployFolder, path), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** The object of that kind in one file of that folder; throws where there is none. */
export function objectIn<T extends KubernetesObject>(path: string, kind: string): T {
  const found = objectsIn(path).find((object) => object.kind === kind);
  if (!found) throw new Error(`${path} has no ${kind}`);
  return found as T;
}

/** The files in a folder with manifests, and those of them that its kustomization names. */
export function filesOf(folder: string): { readonly present: string[]; readonly named: string[] } {
  const path = join(deployFolder, folder);
  const { resources } = parse(readFileSync(join(path, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
  const present = readdirSync(path).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  return { present: present.sort(), named: [...resources].sort() };
}
