import { expect } from 'chai';
import type { TarEntry } from '../../../../src/image/archive/tar-reader.ts';
import { DiskFinder } from '../../../../src/source/registry/disk-finder.ts';
import { parseManifest, selectPlatform } from '../../../../src/source/registry/manifest.ts';
import { parseImageReference } from '../../../../src/source/registry/reference.ts';
import { lend } from '../../base/streams.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('image references', () => {
  const cases: [url: string, host: string, repository: string, reference: string][] = [
    ['docker://fedora', 'registry-1.docker.io', 'library/fedora', 'latest'],
    ['docker://kubevirt/fedora-disk:40', 'registry-1.docker.io', 'kubevirt/fedora-disk', '40'],
    ['docker://docker.io/library/fedora', 'registry-1.docker.io', 'library/fedora', 'latest'],
    ['docker://localhost/disk', 'localhost', 'disk', 'latest'],
    ['docker://registry:5000/org/team/disk:v1', 'registry:5000', 'org/team/disk', 'v1'],
    [`docker://quay.io/org/disk@${digest}`, 'quay.io', 'org/disk', digest],
    [`docker://quay.io/org/disk:v1@${digest}`, 'quay.io', 'org/disk', digest],
  ];
  for (const [url, host, repository, reference] of cases) {
    it(`reads ${url}`, () => {
      expect(parseImageReference(url)).to.include({ host, repository, reference });
    });
  }

  for (const url of [
    'https://quay.io/x',
    'docker://',
    'docker://quay.io/UPPER',
    'docker://q.io/a:b@sha256:1',
    'docker://q.io/a/../b',
  ]) {
    it(`refuses ${url}`, () => {
      expect(() => parseImageReference(url))
        .to.throw()
        .with.property('code', 'InvalidUrl');
    });
  }
});

describe('manifests', () => {
  const entry = (architecture: string, os = 'linux'): object => ({ digest, size: 1, platform: { architecture, os } });
  const indexOf = (...manifests: object[]): Parameters<typeof selectPlatform>[0] => {
    const parsed = parseManifest(JSON.stringify({ manifests }), 'there');
    if (!('index' in parsed)) throw new Error('no index');
    return parsed.index;
  };

  it('finds the image of an architecture', () => {
    const index = indexOf(entry('amd64', 'windows'), entry('arm64'), entry('amd64'));
    expect(selectPlatform(index, 'amd64', 'there').platform).to.deep.equal({ architecture: 'amd64', os: 'linux' });
    expect(() => selectPlatform(index, 's390x', 'there')).to.throw(/only for arm64, amd64/);
  });

  it('takes the least that an architecture asks for, in whatever order they are', () => {
    const variant = (architecture: string, its: string | undefined, size: number): object => ({
      ...{ digest, size },
      platform: { architecture, os: 'linux', ...(its !== undefined && { variant: its }) },
    });
    const amd64 = [variant('amd64', 'v3', 3), variant('amd64', undefined, 1), variant('amd64', 'v2', 2)];
    const arm = [variant('arm', 'v7', 7), variant('arm', 'v6', 6)];
    for (const all of [[...amd64, ...arm], [...arm, ...amd64].toReversed()]) {
      expect(selectPlatform(indexOf(...all), 'amd64', 'there').size).to.equal(1);
      expect(selectPlatform(indexOf(...all), 'arm', 'there').size).to.equal(6);
    }
    expect(
      selectPlatform(indexOf(variant('amd64', 'v10', 10), variant('amd64', 'v2', 2)), 'amd64', 'there').size,
    ).to.equal(2);
  });

  it('counts only images: no signatures, lists of contents, or other artifacts', () => {
    const artifacts = [
      { digest, size: 1, platform: { architecture: 'unknown', os: 'unknown' } },
      { digest, size: 1, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
      { digest, size: 1, artifactType: 'application/spdx+json' },
    ];
    const image = { digest, size: 7, annotations: null };
    expect(selectPlatform(indexOf(...artifacts, image), 'amd64', 'there').size).to.equal(7);
    expect(() => selectPlatform(indexOf(...artifacts), 'amd64', 'there')).to.throw(/only for none/);
  });

  it('refuses what it does not understand', () => {
    for (const document of ['', '{}', '{"schemaVersion": 1}', '{"config": {"digest": "md5:1"}}']) {
      expect(() => parseManifest(document, 'there'))
        .to.throw()
        .with.property('code', 'ProtocolViolation');
    }
  });
});

describe('DiskFinder', () => {
  const file = (path: string, type: TarEntry['type'] = 'file'): TarEntry => ({
    path,
    type,
    size: 1,
    stored: 1,
    offset: undefined,
    body: lend(Buffer.alloc(0), []),
  });
  /** Which of the files in layers, from the uppermost down, are taken for the disk. */
  const found = (...layers: TarEntry[][]): string[] => {
    const finder = new DiskFinder();
    return layers.flatMap((layer) => {
      const accepted = layer.filter((entry) => finder.accept(entry)).map(({ path }) => path);
      finder.descend();
      return accepted;
    });
  };

  it('takes files below disk, however the archive writes their paths', () => {
    expect(
      found([file('./disk/a.img'), file('etc/passwd'), file('/disk/b.img'), file('disk/', 'other')]),
    ).to.deep.equal(['./disk/a.img', '/disk/b.img']);
    expect(found([file('other/disk/a.img'), file('disk/link', 'other')])).to.deep.equal([]);
  });

  it('does not take what an upper layer removed or replaced', () => {
    expect(found([file('disk/.wh.a.img')], [file('disk/a.img'), file('disk/b.img')])).to.deep.equal(['disk/b.img']);
    expect(found([file('disk/.wh..wh..opq')], [file('disk/a.img')])).to.deep.equal([]);
    expect(found([file('.wh.disk')], [file('disk/a.img')])).to.deep.equal([]);
    expect(found([file('disk/a.img', 'other')], [file('disk/a.img')])).to.deep.equal([]);
    expect(found([file('disk/.wh.folder')], [file('disk/folder/a.img')])).to.deep.equal([]);
    expect(found([file('disk/folder/.wh..wh..opq')], [file('disk/folder/a.img')])).to.deep.equal([]);
    for (const type of ['file', 'symbolic-link', 'hard-link', 'other'] as const) {
      expect(found([file('./disk', type)], [file('disk/a.img')]), type).to.deep.equal([]);
      expect(found([file('disk/a', type)], [file('disk/a/b.img')]).slice(type === 'file' ? 1 : 0), type).to.deep.equal(
        [],
      );
    }
    expect(found([file('disk/a.img', 'folder')], [file('disk/a.img')])).to.deep.equal([]);
  });

  it('makes one of folders in several layers', () => {
    for (const folder of ['disk', 'disk/']) {
      expect(found([file(folder, 'folder')], [file('disk/a.img')])).to.deep.equal(['disk/a.img']);
    }
    expect(found([file('disk/b', 'folder')], [file('disk/b/a.img')])).to.deep.equal(['disk/b/a.img']);
  });

  it('tells of links below disk', () => {
    const finder = new DiskFinder();
    finder.accept({ ...file('disk/a', 'symbolic-link'), linkPath: '/images/a' });
    finder.accept({ ...file('disk/b', 'hard-link'), linkPath: 'images/b' });
    expect(finder.hardLink).to.deep.equal({ path: 'disk/b', target: 'images/b' });
    finder.descend();
    finder.accept({ ...file('disk/b', 'hard-link'), linkPath: 'images/c' });
    expect(finder.hardLink).to.equal(undefined);
    expect(finder.symbolicLink).to.deep.equal({ path: 'disk/a', target: '/images/a' });
  });

  it('lets a whiteout hide lower layers only', () => {
    expect(found([file('disk/.wh..wh..opq'), file('disk/a.img')])).to.deep.equal(['disk/a.img']);
  });
});
