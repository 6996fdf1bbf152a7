import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { createTransferCertificates } from '../../../src/server/certificates.ts';
import { COPY_PATH, STREAM_PROTOCOL } from '../../../src/transfer/copy/copy-protocol.ts';
import { CloneRig, portOf, SERVER_NAME } from './rig/clone-rig.ts';
import { sh, writeLargeDisk, writeSparseDisk } from './rig/disks.ts';
import { SilentServer } from './rig/silent-server.ts';

const MEBIBYTE = 1024 * 1024;
const HOUR = 60 * 60 * 1000;

describe('a clone that is disturbed', () => {
  let rig: CloneRig;

  beforeEach(async () => {
    rig = await CloneRig.create();
  });

  afterEach(async () => {
    await rig.dispose();
  });

  it('lets a new source take the place of one that hangs', async () => {
    const disk = join(rig.source, 'disk.img');
    writeLargeDisk(disk);
    const server = rig.startServer({ capacity: 128 * MEBIBYTE });
    const port = await portOf(server);
    const first = rig.startSource({}, { port });
    await server.progress(({ bytesRead }) => bytesRead > MEBIBYTE);
    first.process.kill('SIGSTOP');

    const second = rig.startSource({}, { port });
    expect((await second.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
    execFileSync('cmp', [disk, join(rig.target, 'disk.img')]);
  });

  it('does not take the certificates of another transfer, at either end', async () => {
    writeSparseDisk(join(rig.source, 'disk.img'), 16);
    const other = await createTransferCertificates({ serverName: SERVER_NAME, lifetime: HOUR });
    const mine = rig.certificates;
    const server = rig.startServer({});
    const port = await portOf(server);
    const wrongClient = await rig.writeIdentity('wrong-client', mine.ca, other.client);
    const wrongAuthority = await rig.writeIdentity('wrong-authority', other.ca, mine.client);

    for (const tlsDirectory of [wrongClient, wrongAuthority]) {
      const source = rig.startSource({}, { port, tlsDirectory });
      expect(await source.result()).to.include({ outcome: 'failed', permanent: true, code: 'CertificateUntrusted' });
    }
    expect(server.log.filter(({ message }) => message === 'client refused')).to.have.length(1);
    expect(await readdir(rig.target)).to.deep.equal([]);

    const source = rig.startSource({}, { port });
    expect((await source.result()).outcome).to.equal('succeeded');
  });

  it('is complete though somebody without a certificate keeps a connection that was refused', async () => {
    writeSparseDisk(join(rig.source, 'disk.img'), 16);
    const server = rig.startServer({});
    const port = await portOf(server);
    const stranger = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    stranger.on('error', () => undefined);
    await once(stranger, 'secureConnect');
    // Whoever reads nothing never learns that the other side has ended.
    stranger.pause();
    stranger.write(
      `POST ${COPY_PATH} HTTP/1.1\r\nhost: target\r\nconnection: Upgrade\r\nupgrade: ${STREAM_PROTOCOL}\r\n\r\n`,
    );
    await server.logged(({ message }) => message === 'client refused');
    try {
      const source = rig.startSource({}, { port });
      expect((await source.result()).outcome).to.equal('succeeded');
      expect((await server.result()).outcome).to.equal('succeeded');
    } finally {
      stranger.destroy();
    }
  });

  it('is over at once where the target is full, and both ends say so', async () => {
    const full = await mkdtemp(join(tmpdir(), 'clone-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', full]);
    try {
      sh('dd if=/dev/urandom of=large bs=1M count=32 status=none', rig.source);
      const server = rig.startServer({ contentType: 'archive' }, { dataDirectory: full });
      const source = rig.startSource({ contentType: 'archive' }, { port: await portOf(server) });
      for (const role of [server, source]) {
        expect(await role.result()).to.include({ outcome: 'failed', permanent: true, code: 'NoSpace' });
      }
      expect(await readdir(full)).to.deep.equal([]);
    } finally {
      execFileSync('umount', [full]);
      await rm(full, { recursive: true });
    }
  });

  it('begins anew when the source was written while it was read', async () => {
    const disk = join(rig.source, 'disk.img');
    writeLargeDisk(disk);
    const server = rig.startServer({ capacity: 160 * MEBIBYTE });
    const source = rig.startSource({}, { port: await portOf(server) });
    await server.progress(({ bytesRead }) => bytesRead > MEBIBYTE);
    await writeFile(disk, 'changed', { flag: 'a' });
    await source.logged(({ message, code }) => message === 'retrying' && code === 'SourceChanged');
    expect((await source.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
    sh('cmp -n "$(stat -c %s "$1")" "$1" "$2"', '/', disk, join(rig.target, 'disk.img'));
  });

  it('tells how far it is, as JSON and as a metric, at both ends', async () => {
    writeLargeDisk(join(rig.source, 'disk.img'));
    const server = rig.startServer({ capacity: 128 * MEBIBYTE });
    const source = rig.startSource({}, { port: await portOf(server) });
    for (const role of [source, server]) {
      const progress = await role.progress(({ bytesRead }) => bytesRead > 0);
      expect(progress.stage).to.equal('copying');
      expect(progress.bytesTotal).to.be.within(127 * MEBIBYTE, 129 * MEBIBYTE);
      expect(progress.percent).to.be.within(0.01, 100);
      const metrics = await (await role.get('/metrics')).text();
      expect(metrics).to.match(/^kubevirt_cdi_clone_progress_total\{ownerUID="f00d"\} [\d.]+$/m);
    }
  });
});

/** Ends of copies whose other end cannot be reached at first. They all wait for seconds, and so at once. */
const early: Record<string, (rig: CloneRig) => Promise<void>> = {
  'does not mind which end is up first': async (rig) => {
    writeSparseDisk(join(rig.source, 'disk.img'), 16);
    const port = await freePort();
    const source = rig.startSource({}, { port });
    await source.logged(({ message, code }) => message === 'retrying' && code === 'ConnectionRefused');
    const server = rig.startServer({}, { port });
    expect((await source.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
  },

  'tries a connection anew that nobody answers': async (rig) => {
    writeSparseDisk(join(rig.source, 'disk.img'), 16);
    const silent = await SilentServer.start();
    const source = rig.startSource({}, { port: silent.port });
    await source.logged(({ message, code }) => message === 'retrying' && code === 'ConnectionFailed');
    await silent.stop();
    const server = rig.startServer({}, { port: silent.port });
    expect((await source.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
  },

  'waits for a name that cannot be looked up yet': async (rig) => {
    const source = rig.startSource({ server: 'not-yet-there.invalid' }, { port: 1 });
    await source.logged(({ message, code }) => message === 'retrying' && code === 'HostLookupFailed');
    await source.kill('SIGTERM');
    expect(await source.result()).to.include({ outcome: 'failed', permanent: false, code: 'Interrupted' });
  },
};

describe('a clone whose other end is late', () => {
  const ended = new Map<string, Promise<void>>();

  before(async () => {
    for (const [title, work] of Object.entries(early)) {
      const rig = await CloneRig.create();
      const outcome = work(rig).finally(() => rig.dispose());
      outcome.catch(() => undefined);
      ended.set(title, outcome);
    }
  });

  // Also of those whose test is not among the chosen ones.
  after(() => Promise.allSettled(ended.values()));

  for (const title of Object.keys(early)) it(title, () => ended.get(title));
});

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
