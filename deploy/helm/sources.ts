import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** What every object has of which the chart makes a template. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

/** A file with manifests, as kustomize would add it to what is installed. */
export interface ManifestFile {
  /** Relative to the repository: `deploy/base/controller.yaml`. */
  readonly path: string;
  /** The value of the chart that has to be true for it to be installed; it is always installed without one. */
  readonly condition?: string;
  readonly manifests: readonly Manifest[];
}

/** What of a kustomization is understood here. */
interface Kustomization {
  apiVersion: string;
  kind: string;
  resources: string[];
  labels?: { pairs: Record<string, string> }[];
}

const repository = join(import.meta.dirname, '../..');

/** The folders with manifests that are always installed. */
const parts = ['crds', 'deploy/admission', 'deploy/base'];

/** The folders with manifests that are installed where a value says so: `deploy/network-policies`. */
const options: Readonly<Record<string, string>> = {
  'deploy/dashboard': 'dashboard.enabled',
  'deploy/image-polls': 'imagePolls.enabled',
  'deploy/monitoring': 'monitoring.enabled',
  'deploy/network-policies': 'networkPolicies.enabled',
};

/** Returns every folder of deploy/ that has a kustomization of its own. */
export function kustomizedFolders(): string[] {
  const folders = readdirSync(join(repository, 'deploy'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return folders
    .map(({ name }) => `deploy/${name}`)
    .filter((folder) => readdirSync(join(repository, folder)).includes('kustomization.yaml'));
}

/**
 * Returns what kustomize would install, file by file.
 *
 * @throws Error where a folder has something that the chart would be without
 */
export function manifestFiles(): ManifestFile[] {
  const unknown = kustomizedFolders().filter((folder) => !parts.includes(folder) && !(folder in options));
  if (unknown.length > 0) {
    throw new Error(`${unknown.join(', ')}: name the value that installs it in deploy/helm/sources.ts`);
  }
  return [
    ...parts.flatMap((folder) => filesOf(folder, folder === 'crds' ? 'crds.enabled' : undefined)),
    ...Object.entries(options).flatMap(([folder, condition]) => filesOf(folder, condition)),
  ];
}

function filesOf(folder: string, condition: string | undefined): ManifestFile[] {
  const path = `${folder}/kustomization.yaml`;
  const kustomization = parse(read(path)) as Kustomization;
  const { resources, labels = [] } = kustomization;
  const unknown = [...Object.keys(kustomization).filter(isUnknown), ...labels.flatMap(Object.keys).filter(isNoPair)];
  if (unknown.length > 0) throw new Error(`${path}: the chart is made without ${unknown.join(', ')}`);
  const added = Object.fromEntries(labels.flatMap(({ pairs }) => Object.entries(pairs)));
  return resources.map((name) => ({
    path: `${folder}/${name}`,
    ...(condition ? { condition } : {}),
    manifests: manifestsIn(`${folder}/${name}`).map((manifest) => labelled(manifest, added)),
  }));
}

function manifestsIn(path: string): Manifest[] {
  return parseAllDocuments(read(path)).map((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${path}: ${error.message}`, { cause: error });
    return document.toJS() as Manifest;
  });
}

/** Images are the chart's to name. */
const isUnknown = (field: string) => !['apiVersion', 'kind', 'resources', 'labels', 'images'].includes(field);
const isNoPair = (field: string) => field !== 'pairs';

function labelled(manifest: Manifest, added: Record<string, string>): Manifest {
  const labels = { ...manifest.metadata.labels, ...added };
  if (Object.keys(labels).length === 0) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, labels } };
}

function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}
