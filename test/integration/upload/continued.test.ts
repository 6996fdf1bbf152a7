import { randomInt } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { BLOCK_BYTES, ChainedHash } from '../../../src/server/chained-hash.ts';
import { PREFIX_SHA256_HEADER, RECEIVED_HEADER } from '../../../src/server/upload-protocol.ts';
import { sameDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import type { RunningRole } from '../support/running-role.ts';
import { type Answer, mixedDisk, UploadRig } from './rig/upload-rig.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 64;
const CHUNK = 64 * 1024;
/** Bytes that a client sends fast before it becomes slow, so that checkpoints are made meanwhile. */
const FAST = 16 * MEBIBYTE;

describe('a raw disk whose upload server is killed', () => {
  let rig: UploadRig;
  let raw: string;
  let disk: Buffer;

  beforeEach(async () => {
    disk = mixedDisk(SIZE);
    rig = await UploadRig.create();
    raw = join(rig.directory, 'raw');
    await writeFile(raw, disk);
  });

  afterEach(async () => {
    await rig.dispose();
  });

  const received = async (server: RunningRole): Promise<number> => {
    const { headers } = await rig.send(server, { method: 'HEAD', path: '/v1beta1/upload-async' });
    return Number(headers[RECEIVED_HEADER]);
  };
  const checkpointTime = async (): Promise<number> =>
    stat(`${rig.diskImage}.diskpress-checkpoint`).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  /** Sends an image from a byte on, as the client does. */
  const sendFrom = async (server: RunningRole, image: Buffer, from: number, slow: boolean): Promise<Answer> => {
    const prefix = ChainedHash.create();
    prefix.update(image.subarray(0, from));
    const headers = {
      'content-length': image.length - from,
      ...(from > 0 && {
        'content-range': `bytes ${from}-${image.length - 1}/${image.length}`,
        [PREFIX_SHA256_HEADER]: prefix.digest(),
      }),
    };
    async function* body(): AsyncGenerator<Buffer> {
      for (let at = from; at < image.length; at += CHUNK) {
        yield image.subarray(at, at + CHUNK);
        if (slow && at >= from + FAST) await sleep(30);
      }
    }
    return rig.send(server, { headers, body: body() });
  };
  /** Sends an image from a byte on, and kills the server some time after it has left a checkpoint. */
  const sendUntilKilled = async (server: RunningRole, image: Buffer, from: number): Promise<void> => {
    const before = await checkpointTime();
    let isOver = false;
    const sending = sendFrom(server, image, from, true)
      .catch(() => undefined)
      .finally(() => (isOver = true));
    while (!isOver && (await checkpointTime()) <= before) await sleep(20);
    if (isOver) throw new Error('all of it was sent before a checkpoint was made');
    await sleep(randomInt(500));
    await server.kill('SIGKILL');
    await sending;
  };
  const expectWritten = async (server: RunningRole, image: string): Promise<void> => {
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(await readdir(rig.target)).to.deep.equal(['disk.img']);
    expect(await sameDisk(rig.diskImage, image)).to.equal(true);
  };

  it('is sent only from the last block that was durable, however often that happens', async () => {
    const places: number[] = [];
    for (let kills = 0; kills < 2; kills++) {
      const server = rig.start();
      places.push(await received(server));
      await sendUntilKilled(server, disk, places.at(-1) ?? 0);
    }
    const last = rig.start();
    const from = await received(last);
    places.push(from);
    expect(places).to.deep.equal(places.toSorted((a, b) => a - b));
    expect(places[0]).to.equal(0);
    expect(places[1]).to.be.at.least(BLOCK_BYTES);
    for (const place of places) expect(place % BLOCK_BYTES).to.equal(0);
    expect(await sendFrom(last, disk, from, false)).to.include({ status: 200 });
    const messages = last.log.map(({ message }) => message);
    expect(messages).to.include('resuming').and.not.include('starting over');
    await expectWritten(last, raw);
    expect(await last.result()).to.have.property('bytesRead', disk.length - from);
  });

  it('is not mixed with another one whose beginning is the same', async () => {
    const first = rig.start();
    await sendUntilKilled(first, disk, 0);
    const second = rig.start();
    const from = await received(second);
    expect(from).to.be.at.least(BLOCK_BYTES);
    const alike = Buffer.from(disk);
    // Holes in place of what was written, from the next byte on.
    alike.fill(0, from, from + 8 * MEBIBYTE);
    const answer = await sendFrom(second, alike, from, false);
    if (answer.status !== 200) {
      expect(answer.status).to.equal(503);
      expect(await received(second)).to.equal(0);
      expect(await sendFrom(second, alike, 0, false)).to.include({ status: 200 });
    }
    const other = join(rig.directory, 'other');
    await writeFile(other, alike);
    await expectWritten(second, other);
  });

  it('is asked for from its first byte where its volume does not hold it any more', async () => {
    const first = rig.start();
    await sendUntilKilled(first, disk, 0);
    await run('dd', ['if=/dev/zero', `of=${rig.diskImage}`, 'bs=1M', `count=${SIZE}`, 'conv=notrunc']);
    const second = rig.start();
    const from = await received(second);
    expect(from).to.be.at.least(BLOCK_BYTES);
    expect(await sendFrom(second, disk, from, false)).to.include({ status: 503 });
    expect(await received(second)).to.equal(0);
    expect(await sendFrom(second, disk, 0, false)).to.include({ status: 200 });
    await expectWritten(second, raw);
  });
});
