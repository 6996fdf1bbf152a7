import { readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { unchangedMappings, unmapExecutable } from '../../../../src/base/native/executable-pages.ts';

/** In kB. */
function residentOfFiles(): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}

const mapping = (range: string, permissions: string, path: string, anonymous: number) =>
  `${range} ${permissions} 00001000 fe:00 4711                     ${path}\nSize: 8 kB\nRss: 8 kB\nAnonymous: ${anonymous} kB\n`;

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

  it('are left alone where they are written to, or are not those of a file', () => {
    const smaps =
      mapping('400000-402000', 'r--p', '/usr/bin/node', 0) +
      mapping('402000-404000', 'r-xp', '/usr/bin/node', 0) +
      mapping('404000-406000', 'r--p', '/usr/bin/node', 4) +
      mapping('406000-408000', 'rw-p', '/usr/bin/node', 0) +
      mapping('408000-40a000', 'r--s', '/usr/bin/node', 0) +
      mapping('7f0000000000-7f0000002000', 'r-xp', '/usr/bin/node (deleted)', 0) +
      mapping('7f0000002000-7f0000004000', 'r-xp', '/usr/lib/libc.so.6', 0) +
      mapping('7f0000004000-7f0000006000', 'r--p', '', 0) +
      mapping('7f0000006000-7f0000008000', 'r-xp', '[vdso]', 0);
    expect(unchangedMappings(smaps.split('\n'))).to.deep.equal([
      { address: 0x400000n, bytes: 0x2000 },
      { address: 0x402000n, bytes: 0x2000 },
      { address: 0x7f0000002000n, bytes: 0x2000 },
    ]);
  });
});
