import { readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { unchangedMappings, unmapExecutable } from '../../../../src/base/native/executable-pages.ts';

/** In kB. */
function residentOfFiles(): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}

const mapping = (range: string, permissions: string, path: string, { resident = 8, own = 0, swapped = 0 } = {}) =>
  [
    `${range} ${permissions} 00001000 fe:00 4711                     ${path}`,
    'Size: 8 kB',
    `Rss: ${resident} kB`,
    `Anonymous: ${own} kB`,
    `Swap: ${swapped} kB`,
    '',
  ].join('\n');

describe('the pages of an executable', () => {
  it('are no longer resident once they are unmapped, and come back when they are needed', async () => {
    const before = residentOfFiles();
    unmapExecutable();
    expect(residentOfFiles()).to.be.below(before);
    expect(gunzipSync(gzipSync('as before')).toString()).to.equal('as before');
    const server = createServer((socket) => socket.end('as before')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    for (let round = 0; round < 3; round += 1) {
      unmapExecutable();
      let received = '';
      for await (const chunk of createConnection(port, '127.0.0.1')) received += String(chunk);
      expect(received).to.equal('as before');
    }
    server.close();
  });

  const smaps = [
    mapping('400000-402000', 'r--p', '/usr/bin/node'),
    mapping('402000-404000', 'r-xp', '/usr/bin/node'),
    mapping('404000-406000', 'r--p', '/usr/bin/node', { own: 4 }),
    mapping('40a000-40c000', 'r--p', '/usr/bin/node', { swapped: 4 }),
    mapping('40c000-40e000', 'r--p', '/usr/bin/node', { resident: 0 }),
    mapping('406000-408000', 'rw-p', '/usr/bin/node'),
    mapping('408000-40a000', 'r--s', '/usr/bin/node'),
    mapping('7f0000000000-7f0000002000', 'r-xp', '/usr/bin/node (deleted)'),
    mapping('7f0000002000-7f0000004000', 'r-xp', '/usr/lib/libc.so.6'),
    mapping('7f0000004000-7f0000006000', 'r--p', ''),
    mapping('7f0000006000-7f0000008000', 'r-xp', '[vdso]'),
    mapping('7f0000008000-7f000000a000', 'r--p', '/etc/ld.so.cache'),
  ].flatMap((lines) => lines.split('\n'));
  const ofNode = [
    { address: 0x400000n, bytes: 0x2000 },
    { address: 0x402000n, bytes: 0x2000 },
  ];

  it('are left alone where they are written to, or are not those of a program', () => {
    expect(unchangedMappings(smaps)).to.deep.equal([...ofNode, { address: 0x7f0000002000n, bytes: 0x2000 }]);
  });

  it('are those of one file where only that is wanted', () => {
    expect(unchangedMappings(smaps, '/usr/bin/node')).to.deep.equal(ofNode);
  });
});
