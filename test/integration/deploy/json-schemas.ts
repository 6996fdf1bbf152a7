import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A schema of OpenAPI 2, as Kubernetes writes them. */
interface Definition {
  properties?: Record<string, Definition>;
  additionalProperties?: unknown;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  [keyword: string]: unknown;
}

/** What the type of a field does not say: a whole number is a quantity, and a port. */
const loose: Readonly<Record<string, object>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['string', 'number'] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['string', 'integer'] },
};

/** Where kubeconform finds the schemas that {@link writeJsonSchemas} has written. */
export const schemaLocation = (folder: string) => join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');

/**
 * Writes a JSON Schema for each kind of Kubernetes, in which a field that is not known is an error.
 *
 * @param openApi path of its OpenAPI document
 * @param folder an existing one
 */
export async function writeJsonSchemas(openApi: string, folder: string): Promise<void> {
  const { definitions } = JSON.parse(await readFile(openApi, 'utf8')) as { definitions: Record<string, Definition> };
  const strict = Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [name, loose[name] ?? closed(definition)]),
  );
  await writeFile(join(folder, 'definitions.json'), JSON.stringify({ definitions: strict }));
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const file = [kind, group.split('.')[0], version]
        .filter((part) => part)
        .join('-')
        .toLowerCase();
      const schema = { $ref: `definitions.json#/definitions/${name}` };
      await writeFile(join(folder, `${file}.json`), JSON.stringify(schema));
    }
  }
}

function closed(definition: Definition): Definition {
  const isOpen = definition['x-kubernetes-preserve-unknown-fields'] ?? 'additionalProperties' in definition;
  return definition.properties && !isOpen ? { ...definition, additionalProperties: false } : definition;
}
