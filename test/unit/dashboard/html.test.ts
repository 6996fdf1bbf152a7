import { expect } from 'chai';
import fc from 'fast-check';
import { html } from '../../../src/dashboard/view/html.ts';

describe('the markup of the page', () => {
  it('escapes whatever is put into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inner = /^<p title="(.*)">(.*)<\/p>$/s.exec(html`<p title="${text}">${text}</p>`.text);
        expect(inner, text).not.to.equal(null);
        for (const part of inner?.slice(1) ?? []) expect(part).not.to.match(/[<>"'\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
      }),
    );
  });

  it('shows text as it is', () => {
    expect(html`<p>${`a & b < "c" 'd'`}</p>`.text).to.equal('<p>a &amp; b &lt; &quot;c&quot; &#39;d&#39;</p>');
  });

  it('takes markup as it is, lists one after another, and nothing for what is not there', () => {
    const items = ['<', '>'].map((text) => html`<li>${text}</li>`);
    expect(html`${items}${undefined}${false}${0}`.text).to.equal('<li>&lt;</li><li>&gt;</li>0');
  });
});
