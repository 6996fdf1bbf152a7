import { expect } from 'chai';
import type { Component } from '../../../build/bill-of-materials.ts';
import { licencesOf } from '../../../build/third-party-licences.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const file = (name: string, text: string) => ({ license: { name: `file: ${name}`, text: { content: base64(text) } } });

describe('the licences of what is bundled', () => {
  it('are told with name, version and all texts of each package', () => {
    const components: Component[] = [
      {
        group: '@scope',
        name: 'one',
        version: '1.0.0',
        licenses: [{ license: { id: 'Apache-2.0' } }],
        evidence: { licenses: [file('LICENSE', 'the terms of one'), file('NOTICE', 'a notice of one')] },
      },
      { name: 'two', version: '2.0.0', licenses: [{ expression: 'MIT OR ISC' }] },
    ];
    const text = licencesOf(components);
    expect(text).to.include('@scope/one 1.0.0 (Apache-2.0)');
    expect(text).to.match(/the terms of one\n\na notice of one/);
    expect(text).to.match(/two 2\.0\.0 \(MIT OR ISC\)[^]*has no file with the text of its licence/);
  });

  it('fail the build where a package has none', () => {
    expect(() => licencesOf([{ name: 'three', version: '3.0.0' }])).to.throw(/three 3\.0\.0 does not say its licence/);
  });
});
