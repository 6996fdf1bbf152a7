import type { LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { type LookupAll, lookupWithin } from '../../../../src/source/http/direct/lookup-within.ts';
import { mayLead, type Network, networkOfAddress, networkOfHost } from '../../../../src/source/http/network.ts';

const networks: Network[] = ['public', 'private', 'loopback', 'link-local'];

describe('networks', () => {
  const cases: Record<Network, string[]> = {
    public: [
      '9.9.9.9',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '169.253.255.255',
      '2620:fe::fe',
    ],
    private: [
      ...['10.1.2.3', '172.16.0.0', '172.31.255.255', '192.168.255.255', '100.64.0.0', '100.127.255.255'],
      ...['198.18.0.1', '255.255.255.255', 'fc00::1', 'fd12:3456::1', 'fec0::1', '64:ff9b:1::909:909'],
    ],
    loopback: ['127.0.0.1', '127.255.255.255', '0.0.0.0', '::1', '::'],
    'link-local': [
      ...['169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0', 'fe80::1%2'],
      ...['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16'],
    ],
  };
  for (const network of networks) {
    for (const address of cases[network]) {
      it(`knows that ${address} is ${network}`, () => expect(networkOfAddress(address)).to.equal(network));
    }
  }

  it('are those of the IPv4 address that one of IPv6 stands for', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '::ffff:0:', '64:ff9b::'), (address, form) => {
        // :: and ::1 themselves are no such forms.
        fc.pre(form !== '::' || !address.startsWith('0.'));
        expect(networkOfAddress(form + address)).to.equal(networkOfAddress(address));
        const spelt = new URL(`http://[${form}${address}]/`).hostname;
        expect(networkOfHost(spelt)).to.equal(networkOfAddress(address));
      }),
    );
  });

  it('are found of 6to4 and of NAT64 for local use', () => {
    expect(networkOfAddress('2002:a9fe:a9fe::1')).to.equal('link-local');
    expect(networkOfAddress('2002:7f00:1::')).to.equal('loopback');
    expect(networkOfAddress('2002:909:909::1')).to.equal('public');
    expect(networkOfAddress('64:ff9b:1::7f00:1')).to.equal('loopback');
  });

  it('are told by a host that is an address in any spelling, or a name that is nobody’s in public', () => {
    const hosts: [url: string, network: Network | undefined][] = [
      ['http://2130706433/', 'loopback'],
      ['http://0x7f.1/', 'loopback'],
      ['http://[::ffff:a9fe:a9fe]/', 'link-local'],
      ['http://localhost./', 'loopback'],
      ['http://a.LOCALHOST/', 'loopback'],
      ['http://metadata.google.internal/', 'private'],
      ['http://prometheus.monitoring.svc.cluster.local/', 'private'],
      ['http://prometheus.monitoring.svc/', 'private'],
      ['http://intranet/', 'private'],
      ['http://example.org/', undefined],
      ['http://internal.example.org/', undefined],
    ];
    for (const [url, network] of hosts) expect(networkOfHost(new URL(url).hostname), url).to.equal(network);
  });

  it('lead outwards and to themselves only, so that no chain of redirects leads inwards', () => {
    const open = networks.map((from) => networks.filter((to) => mayLead(from, to)).join(' '));
    expect(open).to.deep.equal(['public', 'public private', 'public private loopback', 'public private link-local']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...networks), { minLength: 2 }), (chain) => {
        const isFollowed = chain.slice(1).every((to, index) => mayLead(chain[index] ?? 'public', to));
        const [first = 'public'] = chain;
        if (isFollowed) expect(mayLead(first, chain.at(-1) ?? first)).to.equal(true);
      }),
    );
  });
});

describe('a lookup within networks', () => {
  const answering =
    (...addresses: string[]): LookupAll =>
    (_, options, done) => {
      expect(options.all).to.equal(true);
      done(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
  const ask = (lookupAll: LookupAll, all: boolean): Promise<unknown> =>
    promisify(lookupWithin((network) => network === 'public', lookupAll))('example.org', { all });

  it('answers with what may be reached alone', async () => {
    const mixed = answering('10.0.0.1', '9.9.9.9', '::1', '2620:fe::fe');
    const found = [
      { address: '9.9.9.9', family: 4 },
      { address: '2620:fe::fe', family: 6 },
    ];
    expect(await ask(mixed, true)).to.deep.equal(found);
    expect(await ask(mixed, false)).to.equal('9.9.9.9');
  });

  it('fails where there is nothing else', async () => {
    for (const all of [true, false]) {
      const refused = await ask(answering('::ffff:127.0.0.1', '10.0.0.1'), all).catch((error: unknown) => error);
      expect(refused).to.include({ code: 'NETWORK_REFUSED', network: 'loopback' });
      expect(await ask(answering(), all).catch((error: unknown) => error)).to.include({ code: 'ENOTFOUND' });
    }
  });

  it('fails as the lookup does', async () => {
    const failing: LookupAll = (_, __, done) => {
      done(Object.assign(new Error('try again'), { code: 'EAI_AGAIN' }), []);
    };
    expect(await ask(failing, true).catch((error: unknown) => error)).to.include({ code: 'EAI_AGAIN' });
  });
});
