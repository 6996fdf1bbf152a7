import { expect } from 'chai';
import {
  importerPodName,
  labelValueOf,
  primeClaimName,
  scratchClaimName,
  uploadPodName,
  uploadServiceName,
} from '../../../src/protocol/object-names.ts';

const longest = 'a'.repeat(253);

describe('Names of objects', () => {
  it('are made of the name of the claim', () => {
    expect(importerPodName('disk')).to.equal('importer-disk');
    expect(uploadPodName('disk')).to.equal('cdi-upload-disk');
    expect(uploadServiceName('disk')).to.equal('cdi-upload-disk');
    expect(scratchClaimName('disk')).to.equal('disk-scratch');
    expect(primeClaimName('0-1')).to.equal('prime-0-1');
    expect(labelValueOf('disk')).to.equal('disk');
  });

  it('of the importer of a stage have its checkpoint, as far as a name can', () => {
    expect(importerPodName('disk', 'snapshot-2')).to.equal('importer-disk-checkpoint-snapshot-2');
    expect(importerPodName('disk', 'Before Patch')).to.match(/^importer-disk-checkpoint-before-patch-[0-9a-f]{8}$/);
    expect(importerPodName('disk', '…')).to.match(/^importer-disk-checkpoint-[0-9a-f]{8}$/);
  });

  it('are valid for the longest claim there can be, and tell such claims apart', () => {
    for (const [name, limit] of [
      // The kubelet's folder <namespace>_<name>_<uid> has 255 characters at most.
      [importerPodName, 154],
      [uploadPodName, 154],
      [scratchClaimName, 253],
      [uploadServiceName, 63],
      [labelValueOf, 63],
    ] as const) {
      expect(name(longest))
        .to.have.length.at.most(limit)
        .and.match(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      expect(name(longest)).not.to.equal(name(`${longest.slice(1)}b`));
    }
  });

  it('of a Service have no dots, and differ where only those differ', () => {
    expect(uploadServiceName('a.b')).to.match(/^[-a-z0-9]+$/);
    expect(uploadServiceName('a.b')).not.to.equal(uploadServiceName('a-b'));
  });

  it('do not end in a dot or dash where they are cut', () => {
    const claim = `${'a'.repeat(234)}.${'b'.repeat(18)}`;
    expect(importerPodName(claim)).to.match(/^[a-z0-9]+([-.][a-z0-9]+)*$/);
  });
});
