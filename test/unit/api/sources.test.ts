import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { dataVolumeSource, importSource } from '../../../src/api/source-fields.ts';
import { givenSource, importedSources, sources } from '../../../src/api/sources.ts';
import { sourceRequest } from '../../../src/protocol/source-request.ts';

const FOLDER = join(import.meta.dirname, '../../../src/api/sources');

describe('the table of sources', () => {
  it('has every source that is declared', async () => {
    const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts')).map((file) => basename(file, '.ts'));
    expect(sources.map(({ name }): string => name).sort()).to.deep.equal(files.sort());
  });

  it('has no two that a field, a claim’s annotation or a request could mean', () => {
    const requests = importedSources.flatMap(({ importer }) =>
      (importer?.requests ?? []).map(({ shape }) => shape.type.value),
    );
    for (const names of [
      sources.map(({ name }) => name),
      importedSources.map(({ claimValue }) => claimValue),
      requests,
    ]) {
      expect(new Set<string>(names).size).to.equal(names.length);
    }
    expect(requests).to.have.length.greaterThan(0);
  });

  it('makes the fields of a DataVolume, and those that can be imported of a VolumeImportSource', () => {
    expect(Object.keys(dataVolumeSource.shape)).to.deep.equal(sources.map(({ name }) => name));
    expect(Object.keys(importSource.shape)).to.deep.equal(importedSources.map(({ name }) => name));
  });

  it('makes the requests of the importer, and no other is taken', () => {
    expect(sourceRequest.safeParse({ type: 's3', url: 'https://s3/bucket/disk' }).success).to.equal(true);
    expect(sourceRequest.safeParse({ type: 'pulled-image', image: 'registry/disk' }).success).to.equal(true);
    expect(sourceRequest.safeParse({ type: 'vddk', url: '' }).success).to.equal(false);
    expect(sourceRequest.safeParse({ type: 's3', url: '', secret: '' }).success).to.equal(false);
  });

  it('knows which field is set', () => {
    expect(givenSource(sources, { upload: {} })?.name).to.equal('upload');
    expect(givenSource(importedSources, { blank: {} })?.population).to.equal('import');
    expect(givenSource(sources, {})).to.equal(undefined);
  });
});
