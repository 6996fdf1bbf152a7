import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import * as z from 'zod';
import { crdFiles } from '../../../crds/files.ts';
import { customResourceDefinition } from '../../../src/api/crd/custom-resource-definition.ts';
import { type StructuralSchema, structuralSchema } from '../../../src/api/crd/structural-schema.ts';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { resources } from '../../../src/api/resources.ts';

const CRDS = join(import.meta.dirname, '../../../crds');

/** Every node of a schema, with its path. */
function* nodes(schema: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* nodes(property, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* nodes(schema.additionalProperties, `${path}{}`);
}

describe('The generated CustomResourceDefinitions', () => {
  it('are those in crds (npm run crds writes them)', async () => {
    const files = crdFiles();
    expect((await readdir(CRDS)).filter((name) => name.endsWith('.yaml')).sort()).to.deep.equal(
      [...files.keys()].sort(),
    );
    for (const [name, text] of files) expect(await readFile(join(CRDS, name), 'utf8'), name).to.equal(text);
  });

  for (const resource of resources) {
    const schema = customResourceDefinition(resource).spec.versions[0]!.schema.openAPIV3Schema;
    const fields = [...nodes(schema, resource.kind)];

    it(`say of ${resource.kind} what every field is for`, () => {
      const undescribed = fields
        .map(([path, field]) => ({ path, ...field }))
        .filter(({ path, description }) => !/(\[\]|\{\}|\.metadata)$/.test(path) && !description)
        .map(({ path }) => path);
      expect(undescribed).to.deep.equal([]);
    });

    it(`use for ${resource.kind} nothing that a structural schema must not have`, () => {
      for (const [path, field] of fields) {
        expect(Object.keys(field), path).not.to.include.members(['$ref']);
        expect(field, path).not.to.have.any.keys('$ref', '$schema', 'oneOf', 'allOf', 'not', 'const', 'propertyNames');
        expect(field.additionalProperties, path).not.to.equal(false);
        if (field['x-kubernetes-int-or-string'] === true) expect(field.type, path).to.equal(undefined);
        else expect(field.type, path).to.be.a('string');
      }
    });
  }

  it('serve DataVolume in two versions with one schema, and store v1beta1', () => {
    const { versions } = customResourceDefinition(dataVolumes).spec;
    expect(versions.map(({ name, served, storage }) => [name, served, storage])).to.deep.equal([
      ['v1beta1', true, true],
      ['v1alpha1', true, false],
    ]);
    expect(versions[0]!.schema).to.deep.equal(versions[1]!.schema);
  });

  it('have unique names', () => {
    const names = resources.flatMap(({ plural, singular, shortNames }) => [
      ...new Set([plural, singular, ...shortNames]),
    ]);
    expect(new Set(names).size).to.equal(names.length);
  });
});

describe('structuralSchema', () => {
  it('keeps limits of integers that are not those of their format', () => {
    expect(structuralSchema(z.int32().min(0))).to.deep.equal({ type: 'integer', format: 'int32', minimum: 0 });
    expect(structuralSchema(z.int())).to.deep.equal({ type: 'integer', format: 'int64' });
  });

  it('refuses alternatives, which the API server would refuse', () => {
    expect(() => structuralSchema(z.object({ a: z.union([z.boolean(), z.string()]) }))).to.throw('alternatives');
  });
});
