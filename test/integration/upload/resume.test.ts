import { createHash } from 'node:crypto';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ChainedHash } from '../../../src/server/chained-hash.ts';
import { eventually } from '../../support/eventually.ts';
import { LoopDevices } from '../copy/rig/disks.ts';
import { sameDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import type { RunningRole } from '../support/running-role.ts';
import { mixedDisk, UploadRig } from './rig/upload-rig.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 32;

/** Gives out a body slowly from some byte on, until the condition holds; then it breaks off. */
async function* breaking(body: Buffer, slowFrom: number, until: () => Promise<boolean>): AsyncGenerator<Buffer> {
  yield body.subarray(0, slowFrom);
  for (let at = slowFrom; at < body.length; at += 64 * 1024) {
    if (await until()) break;
    yield body.subarray(at, at + 64 * 1024);
    await sleep(50);
  }
  throw new Error('broken off');
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const digestOf = (bytes: Buffer): string => {
  const hash = ChainedHash.create();
  hash.update(bytes);
  return hash.digest();
};

describe('an upload that is interrupted', () => {
  let rig: UploadRig;
  let raw: string;
  let disk: Buffer;
  let qcow2: Buffer;

  before(() => {
    disk = mixedDisk(SIZE);
  });

  beforeEach(async () => {
    rig = await UploadRig.create();
    raw = join(rig.directory, 'raw');
    await writeFile(raw, disk);
    const image = join(rig.directory, 'image');
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, image]);
    qcow2 = await readFile(image);
  });

  afterEach(async () => {
    await rig.dispose();
  });

  const received = async (server: RunningRole): Promise<number> => {
    const { status, headers } = await rig.send(server, { method: 'HEAD', path: '/v1beta1/upload-async' });
    expect(status).to.equal(200);
    return Number(headers['x-diskpress-received']);
  };
  /** Sends the start of an image, and closes the connection in the middle. */
  const sendPart = async (server: RunningRole, image: Buffer, length: number): Promise<number> => {
    const body = breaking(image, length, async () => (await received(server)) >= length);
    const error: unknown = await rig
      .send(server, { body, headers: { 'content-length': image.length } })
      .catch((reason: unknown) => reason);
    expect(error).to.be.an('error');
    await server.progress(({ stage }) => stage.startsWith('waiting for an upload'));
    return received(server);
  };
  /** Sends an image slowly until the server has left a checkpoint, which `left` looks for. */
  const sendUntilCheckpoint = async (
    server: RunningRole,
    image: Buffer,
    left: () => Promise<boolean>,
  ): Promise<void> => {
    const body = breaking(image, image.length / 2, left);
    await rig.send(server, { body, headers: { 'content-length': image.length } }).catch(() => undefined);
  };
  const checkpointFile = async (): Promise<boolean> =>
    access(`${rig.diskImage}.diskpress-checkpoint`).then(
      () => true,
      () => false,
    );
  const finish = async (server: RunningRole, body: Buffer, headers: OutgoingHttpHeaders = {}): Promise<void> => {
    expect(await rig.send(server, { body, headers })).to.include({ status: 200 });
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(await readdir(rig.target)).to.deep.equal(['disk.img']);
  };

  it('waits for what is missing, and tells how much it has', async () => {
    const server = rig.start();
    const { stage } = await server.progress((progress) => progress.stage.startsWith('waiting'));
    expect(stage).to.equal('waiting for an upload: 0 bytes so far');
    expect((await server.get('/healthz')).status).to.equal(200);
    const had = await sendPart(server, disk, 10 * MEBIBYTE);
    expect(had).to.be.at.least(10 * MEBIBYTE);
    const progress = await server.progress(({ bytesRead }) => bytesRead === had);
    expect(progress).to.include({ stage: `waiting for an upload: ${had} bytes so far`, bytesTotal: disk.length });
    expect(progress.percent).to.be.within(30, 70);
    await server.kill();
  });

  it('takes all of it again, and writes only what is missing', async () => {
    const server = rig.start();
    await sendPart(server, qcow2, 5 * MEBIBYTE);
    await sendPart(server, qcow2, 9 * MEBIBYTE);
    await finish(server, qcow2, { 'x-diskpress-sha256': sha256(qcow2) });
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
    expect(await server.result()).to.include({ bytesRead: qcow2.length });
  });

  it('continues with Content-Range, in several pieces', async () => {
    const server = rig.start();
    const had = await sendPart(server, qcow2, 5 * MEBIBYTE);
    const piece = (from: number, to: number, prefix: Buffer): OutgoingHttpHeaders => ({
      'content-range': `bytes ${from}-${to - 1}/${qcow2.length}`,
      'x-diskpress-prefix-sha256': digestOf(prefix),
      'x-diskpress-sha256': sha256(qcow2.subarray(from, to)),
    });
    const next = had + MEBIBYTE;
    const wrongPlace = piece(had + 1, next, qcow2.subarray(0, had + 1));
    const refused = await rig.send(server, { body: qcow2.subarray(had + 1, next), headers: wrongPlace });
    expect(refused).to.include({ status: 416 });
    expect(refused.text).to.equal(`${had} bytes have been received: send the image from there, or all of it\n`);
    const otherPrefix = piece(had, next, qcow2.subarray(1, had));
    expect((await rig.send(server, { body: qcow2.subarray(had, next), headers: otherPrefix })).status).to.equal(412);
    const headers = piece(had, next, qcow2.subarray(0, had));
    expect((await rig.send(server, { body: qcow2.subarray(had, next), headers })).status).to.equal(202);
    expect(await received(server)).to.equal(next);
    await finish(server, qcow2.subarray(next), piece(next, qcow2.length, qcow2.subarray(0, next)));
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
  });

  for (const name of ['raw', 'qcow2', 'gzip'] as const) {
    it(`continues after SIGKILL where it was durable: ${name}`, async () => {
      let image = { raw: disk, qcow2, gzip: disk }[name];
      if (name === 'gzip') {
        await run('gzip', ['--keep', '-1', raw]);
        image = await readFile(`${raw}.gz`);
      }
      const first = rig.start();
      await sendUntilCheckpoint(first, image, checkpointFile);
      await first.kill('SIGKILL');
      const second = rig.start();
      await finish(second, image);
      expect(second.log.map(({ message }) => message)).to.include('resuming');
      expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
      const result = await second.result();
      if (result.outcome !== 'succeeded') throw new Error('it did not succeed');
      expect(result.bytesWritten).to.be.lessThan(disk.length * 0.6);
    });
  }

  it('continues on a block device, with the checkpoint that was reported', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const devices = new LoopDevices(rig.directory);
    try {
      const settings = { blockDevice: devices.attach('device', SIZE) };
      const target = { volumeMode: 'Block', capacity: disk.length } as const;
      const first = rig.start({ target, settings });
      let checkpoint: string | undefined;
      await sendUntilCheckpoint(first, qcow2, async () => {
        ({ checkpoint } = await first.progress(() => true));
        return checkpoint !== undefined;
      });
      await first.kill('SIGKILL');
      const second = rig.start({ target, settings, checkpoint: checkpoint ?? 'none' });
      expect((await rig.send(second, { body: qcow2 })).status).to.equal(200);
      expect((await second.result()).outcome).to.equal('succeeded');
      expect(second.log.map(({ message }) => message)).to.include('resuming');
      expect(await sameDisk(settings.blockDevice, raw)).to.equal(true);
    } finally {
      devices.detach();
    }
  });

  it('leaves a checkpoint when it is told to stop, and tells the client', async () => {
    const first = rig.start();
    const body = breaking(qcow2, 8 * MEBIBYTE, async () => {
      if ((await received(first)) < 8 * MEBIBYTE) return false;
      first.process.kill('SIGTERM');
      return eventually('an end', () => first.process.exitCode !== null);
    });
    const answer = await rig.send(first, { body, headers: { 'content-length': qcow2.length } });
    expect(answer).to.include({ status: 503 });
    expect(answer.text).to.equal('the upload server was told to stop: send the image again\n');
    expect(await first.result()).to.include({ outcome: 'failed', permanent: false, code: 'Interrupted' });
    const second = rig.start();
    await finish(second, qcow2);
    expect(second.log.map(({ message }) => message)).to.include('resuming');
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
  });

  describe('and begun anew with another image', () => {
    let other: Buffer;
    let otherRaw: string;

    beforeEach(async () => {
      otherRaw = join(rig.directory, 'other');
      other = mixedDisk(SIZE);
      await writeFile(otherRaw, other);
    });

    it('asks for it again, once the difference shows', async () => {
      const server = rig.start();
      await sendPart(server, disk, 10 * MEBIBYTE);
      const answer = await rig.send(server, { body: other });
      expect(answer).to.include({ status: 503 });
      expect(answer.text).to.match(/^this is another image than .*: send the image again\n$/);
      expect(await received(server)).to.equal(0);
      await finish(server, other);
      expect(await sameDisk(rig.diskImage, otherRaw)).to.equal(true);
    });

    it('takes it at once, where its size differs', async () => {
      const server = rig.start();
      await sendPart(server, disk, 10 * MEBIBYTE);
      await finish(server, qcow2);
      expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
    });

    it('does not mix it with what was written before SIGKILL', async () => {
      const first = rig.start();
      await sendUntilCheckpoint(first, disk, checkpointFile);
      await first.kill('SIGKILL');
      // The second one differs in the middle only.
      const alike = Buffer.from(disk);
      alike.fill(0, disk.length / 2 - 2 * MEBIBYTE, disk.length / 2);
      const second = rig.start();
      const answer = await rig.send(second, { body: alike });
      expect(answer).to.include({ status: 503 });
      await finish(second, alike);
      await writeFile(otherRaw, alike);
      expect(await sameDisk(rig.diskImage, otherRaw)).to.equal(true);
    });

    it('unpacks only the second of two archives', async () => {
      const folder = join(rig.directory, 'tree');
      const make = async (name: string): Promise<Buffer> => {
        const script = 'mkdir -p "$1"; cp "$2" "$1/$3"; tar -C "$1" -cf "$1.tar" .; rm "$1/$3"';
        await run('bash', ['-ec', script, 'bash', folder, raw, name]);
        return readFile(`${folder}.tar`);
      };
      const server = rig.start({ target: { contentType: 'archive' } });
      const [first, second] = [await make('one'), await make('two')];
      await sendPart(server, first, 10 * MEBIBYTE);
      expect((await rig.send(server, { body: second })).status).to.equal(503);
      expect((await rig.send(server, { body: second })).status).to.equal(200);
      expect((await server.result()).outcome).to.equal('succeeded');
      expect(await readdir(rig.target)).to.deep.equal(['two']);
    });
  });
});
