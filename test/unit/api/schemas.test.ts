import { expect } from 'chai';
import { resources } from '../../../src/api/resources.ts';
import { accepted, dataVolume, http, pvc, refused } from '../../support/manifests.ts';

const schemaOf = (manifest: object) => {
  const { kind } = manifest as { kind: string };
  const resource = resources.find((candidate) => candidate.kind === kind);
  if (resource === undefined) throw new Error(`no resource of kind ${kind}`);
  return resource.schema;
};

describe('The schemas of the API', () => {
  for (const [what, manifest] of Object.entries(accepted))
    it(`accept ${what}`, () => {
      expect(schemaOf(manifest).safeParse(manifest).error?.message).to.equal(undefined);
    });

  for (const [what, [manifest]] of Object.entries(refused))
    it(`refuse ${what}`, () => {
      expect(schemaOf(manifest).safeParse(manifest).success).to.equal(false);
    });

  it('give the message of the rule that is broken', () => {
    const manifest = dataVolume('bad', { source: { http, blank: {} }, pvc });
    expect(schemaOf(manifest).safeParse(manifest).error?.issues).to.deep.include({
      code: 'custom',
      path: ['spec', 'source'],
      message:
        'source must have exactly one of http, s3, gcs, registry, pvc, snapshot, upload, blank, imageio, vddk, file',
    });
  });
});
