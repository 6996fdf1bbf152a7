import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { resources } from '../../../src/api/resources.ts';
import { codeBlocksOf, pages } from './pages.ts';

/** Kinds of Kubernetes that examples may show, whose fields only an API server knows. */
const KUBERNETES_KINDS = [
  'v1 PersistentVolumeClaim',
  'v1 Secret',
  'v1 ConfigMap',
  'networking.k8s.io/v1 Ingress',
  'gateway.networking.k8s.io/v1 TLSRoute',
];

const identified = z.looseObject({ apiVersion: z.string(), kind: z.string() });
const fragment = z.union([z.strictObject({ source: z.unknown() }), z.strictObject({ sourceRef: z.unknown() })]);

/** Examples of sources leave out what all DataVolumes have in common. */
function complete(example: unknown): unknown {
  if (!fragment.safeParse(example).success) return example;
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: 'example' },
    spec: { ...(example as object), storage: { resources: { requests: { storage: '10Gi' } } } },
  };
}

/** @throws where it is no valid object of a kind that is known */
function validate(example: unknown): void {
  const { apiVersion, kind } = identified.parse(complete(example));
  if (KUBERNETES_KINDS.includes(`${apiVersion} ${kind}`)) return;
  const resource = resources.find((candidate) => candidate.kind === kind);
  expect(resource, `${apiVersion} ${kind}`).not.to.equal(undefined);
  const { error } = resource!.schema.safeParse(complete(example));
  if (error) throw new Error(z.prettifyError(error));
}

describe('the examples of the documentation', () => {
  for (const page of pages) {
    for (const [index, block] of codeBlocksOf(page, 'yaml').entries()) {
      it(`are valid objects: ${page.path}, example ${index + 1}`, () => {
        for (const document of parseAllDocuments(block)) {
          expect(document.errors).to.deep.equal([]);
          validate(document.toJS());
        }
      });
    }
  }
});
