import { expect } from 'chai';
import { SharedContexts } from '../../../../src/source/versions/shared-contexts.ts';

describe('what TLS connections trust', () => {
  it('is parsed once for the same authorities, and kept for a few of them', async () => {
    const contexts = new SharedContexts();
    const first = await contexts.of([]);
    expect(await contexts.of([])).to.equal(first);
    for (let other = 0; other < 7; other += 1) expect(await contexts.of([`text ${other}`])).to.not.equal(first);
    expect(await contexts.of([])).to.equal(first);
    for (let other = 0; other < 8; other += 1) await contexts.of([`other text ${other}`]);
    expect(await contexts.of([])).to.not.equal(first);
  });
});
