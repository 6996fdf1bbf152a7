import { expect } from 'chai';
import { Remembered } from '../../../../src/services/dashboard/remembered.ts';
import { asToken, isFromElsewhere, keepToken, tokenOf } from '../../../../src/services/dashboard/session.ts';

const requestWith = (headers: Record<string, string>) => ({ headers });

describe('the token of a request', () => {
  it('is that of its header, before that of a cookie', () => {
    const cookie = keepToken('a.b-c').split(';')[0] ?? '';
    expect(tokenOf(requestWith({ cookie: `x=1; ${cookie}; y=2` }))).to.equal('a.b-c');
    expect(tokenOf(requestWith({ cookie, authorization: 'bearer other' }))).to.equal('other');
    expect(tokenOf(requestWith({ cookie, authorization: 'Basic YTpi' }))).to.equal('a.b-c');
    expect(tokenOf(requestWith({}))).to.equal(undefined);
  });

  it('has no characters that could be another header or cookie', () => {
    for (const text of ['a b', 'a;b', 'a\r\nb', 'a,b', '', 'ä']) expect(asToken(text), text).to.equal(undefined);
    expect(asToken(' abc==\n')).to.equal('abc==');
  });
});

describe('where a form comes from', () => {
  it('is told by browsers', () => {
    const host = 'dashboard.example';
    expect(isFromElsewhere(requestWith({ host, origin: 'https://dashboard.example' }))).to.equal(false);
    expect(isFromElsewhere(requestWith({ host, origin: 'https://evil.example' }))).to.equal(true);
    expect(isFromElsewhere(requestWith({ host, origin: 'null' }))).to.equal(true);
    expect(isFromElsewhere(requestWith({ host, 'sec-fetch-site': 'same-site' }))).to.equal(true);
    expect(isFromElsewhere(requestWith({ host }))).to.equal(false);
  });
});

describe('answers that are remembered', () => {
  it('are shared, limited in number, and forgotten where they have failed', async () => {
    const remembered = new Remembered<number>(2, 60_000);
    let asked = 0;
    const ask = async () => (asked += 1);
    expect(await Promise.all([remembered.get('a', ask), remembered.get('a', ask)])).to.deep.equal([1, 1]);
    await remembered.get('b', ask);
    await remembered.get('c', ask);
    expect(await remembered.get('a', ask)).to.equal(4);
    const failing = async (): Promise<number> => Promise.reject(new Error('no'));
    expect(await remembered.get('d', failing).catch(() => 'failed')).to.equal('failed');
    expect(await remembered.get('d', ask)).to.equal(5);
  });

  it('count no longer than they live', async () => {
    const remembered = new Remembered<number>(2, 0);
    let asked = 0;
    const ask = async () => (asked += 1);
    await remembered.get('a', ask);
    expect(await remembered.get('a', ask)).to.equal(2);
  });
});
