import { randomBytes } from 'node:crypto';
import { access, mkdir, open, readFile, stat, statfs, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { loadPackageDefinition, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { expect } from 'chai';
import { csiParts } from '../../cluster/index.ts';
import { run } from '../../csi-driver/command.ts';
import type { Snapshot } from '../../csi-driver/messages.ts';
import { REGISTRATION } from '../../csi-driver/registration.ts';
import { eventually } from '../../support/eventually.ts';
import { callMethod, connect, CsiDriver, XfsPool } from './csi-driver-process.ts';

const MiB = 1024 ** 2;
const TOPOLOGY_KEY = 'topology.csi.diskpress.test/node';
const filesystem = { mount: {}, access_mode: { mode: 'SINGLE_NODE_WRITER' } };
const ext4 = { mount: { fs_type: 'ext4' }, access_mode: { mode: 'SINGLE_NODE_WRITER' } };
const block = { block: {}, access_mode: { mode: 'SINGLE_NODE_WRITER' } };

describe('the CSI driver of the test cluster', function () {
  this.timeout('60 s');
  let proto: string;
  let pool: XfsPool;
  let driver: CsiDriver;
  let count = 0;

  before(async function () {
    this.timeout('20 min'); // builds the CSI sidecars where no checkout has done so before
    if (process.getuid?.() !== 0) {
      this.skip();
    }
    ({ proto } = await csiParts({ log: console.error }));
    pool = await XfsPool.create(4 * 1024 * MiB);
    driver = new CsiDriver(pool, 'node-1', proto, ['--topology-key', TOPOLOGY_KEY]);
    await driver.start();
  });

  after(async () => {
    await driver?.close();
    await pool?.remove();
  });

  const request = (capability: object, megabytes: number, more: object = {}) => ({
    name: `volume-${++count}`,
    capacity_range: { required_bytes: megabytes * MiB },
    volume_capabilities: [capability],
    ...more,
  });

  async function create(capability: object, megabytes: number, more: object = {}): Promise<string> {
    const answer = await driver.call('CreateVolume', request(capability, megabytes, more));
    return answer.volume.volume_id;
  }

  const cloneOf = (volumeId: string) => ({ volume_content_source: { volume: { volume_id: volumeId } } });
  const copyOf = (snapshotId: string) => ({ volume_content_source: { snapshot: { snapshot_id: snapshotId } } });

  async function snapshot(volumeId: string, parameters: object = {}): Promise<Snapshot> {
    const name = `snapshot-${++count}`;
    return (await driver.call('CreateSnapshot', { name, source_volume_id: volumeId, parameters })).snapshot;
  }

  async function publish(volumeId: string, capability: object, more: object = {}): Promise<string> {
    const target = pool.target(`${volumeId}-${++count}`);
    const publication = { volume_id: volumeId, target_path: target, volume_capability: capability, ...more };
    await driver.call('NodePublishVolume', publication);
    return target;
  }

  const unpublish = (volumeId: string, target: string) =>
    driver.call('NodeUnpublishVolume', { volume_id: volumeId, target_path: target });

  /** Publishes the volume, lets the caller look at it, and takes it away again. */
  async function inside<Result>(
    volumeId: string,
    capability: object,
    look: (target: string) => Promise<Result>,
  ): Promise<Result> {
    const target = await publish(volumeId, capability);
    try {
      return await look(target);
    } finally {
      await unpublish(volumeId, target);
    }
  }

  async function expand(volumeId: string, target: string, megabytes: number): Promise<void> {
    const range = { capacity_range: { required_bytes: megabytes * MiB } };
    const answer = await driver.call('ControllerExpandVolume', { volume_id: volumeId, ...range });
    expect(answer.capacity_bytes).to.equal(megabytes * MiB);
    if (answer.node_expansion_required) {
      await driver.call('NodeExpandVolume', { volume_id: volumeId, volume_path: target, ...range });
    }
  }

  async function freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(pool.mountPoint);
    return bavail * bsize;
  }

  /** Writes to the folder until it is full. */
  async function bytesThatFit(folder: string): Promise<number> {
    const file = await open(join(folder, 'filler'), 'w');
    let written = 0;
    try {
      for (;;) {
        written += (await file.write(Buffer.alloc(MiB, 1))).bytesWritten;
        await file.datasync();
      }
    } catch (error) {
      // Node has no name for the quota's.
      expect((error as NodeJS.ErrnoException).errno).to.be.oneOf([-constants.errno.ENOSPC, -constants.errno.EDQUOT]);
      return written;
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  const deviceBytes = async (device: string) => Number(await run('blockdev', '--getsize64', device));

  describe('copies', () => {
    it('clones 100 MiB without copying them, with owners, modes and holes', async () => {
      const source = await create(filesystem, 200);
      const content = randomBytes(100 * MiB);
      await inside(source, filesystem, async (target) => {
        await writeFile(join(target, 'disk.img'), content);
        await mkdir(join(target, 'folder'));
        await writeFile(join(target, 'folder', 'key'), 'x', { mode: 0o640 });
        await run('chown', '107:107', join(target, 'folder', 'key'));
        const sparse = await open(join(target, 'sparse'), 'w');
        await sparse.truncate(1024 * MiB);
        await sparse.sync();
        await sparse.close();
        await run('sync', '--file-system', target);
      });

      const free = await freeBytes();
      const clone = await create(filesystem, 200, cloneOf(source));
      expect(free - (await freeBytes())).to.be.lessThan(10 * MiB);

      await inside(clone, filesystem, async (target) => {
        expect(content.equals(await readFile(join(target, 'disk.img')))).to.be.true;
        const { uid, gid, mode } = await stat(join(target, 'folder', 'key'));
        expect({ uid, gid, mode: mode & 0o777 }).to.deep.equal({ uid: 107, gid: 107, mode: 0o640 });
        const { size, blocks } = await stat(join(target, 'sparse'));
        expect({ size, blocks }).to.deep.equal({ size: 1024 * MiB, blocks: 0 });
      });
    });

    it('leaves clone and source apart', async () => {
      const source = await create(filesystem, 10);
      await inside(source, filesystem, (target) => writeFile(join(target, 'file'), 'before'));
      const clone = await create(filesystem, 10, cloneOf(source));
      await inside(source, filesystem, (target) => writeFile(join(target, 'file'), 'after'));

      expect(await inside(clone, filesystem, (target) => readFile(join(target, 'file'), 'utf8'))).to.equal('before');
    });

    for (const { name, capability, parameters } of [
      { name: 'a Block volume', capability: block, parameters: {} },
      { name: 'a Filesystem volume of an enforced size', capability: filesystem, parameters: { enforceSize: 'true' } },
      { name: 'a Filesystem volume with ext4', capability: ext4, parameters: { enforceSize: 'true' } },
      { name: 'a Filesystem volume with a quota', capability: filesystem, parameters: { quota: 'true' } },
    ]) {
      it(`snapshots what was just written to ${name} that is in use`, async () => {
        const source = await create(capability, 64, { parameters });
        const content = randomBytes(5 * MiB);
        const file = (target: string) => (capability === block ? target : join(target, 'file'));

        const taken = await inside(source, capability, async (target) => {
          const handle = await open(file(target), capability === block ? 'r+' : 'w');
          await handle.write(content);
          const result = await snapshot(source);
          await handle.close();
          return result;
        });
        await driver.call('DeleteVolume', { volume_id: source });
        const copy = await create(capability, 64, { parameters, ...copyOf(taken.snapshot_id) });

        const found = await inside(copy, capability, (target) => readFile(file(target)));
        expect(found.subarray(0, content.length).equals(content)).to.be.true;
      });

      it(`makes a larger copy of ${name}, to be used beside it`, async () => {
        const source = await create(capability, 64, { parameters });
        const clone = await create(capability, 128, { parameters, ...cloneOf(source) });

        await inside(source, capability, () =>
          inside(clone, capability, async (target) => {
            if (capability === block) {
              expect(await deviceBytes(target)).to.equal(128 * MiB);
            } else {
              expect(await bytesThatFit(target)).to.be.within(100 * MiB, 128 * MiB);
            }
          }),
        );
      });
    }

    it('refuses a copy that is smaller than its source', async () => {
      const source = await create(block, 64);
      const taken = await snapshot(source);

      expect((await driver.failure('CreateVolume', request(block, 32, cloneOf(source)))).code).to.equal(
        status.OUT_OF_RANGE,
      );
      expect((await driver.failure('CreateVolume', request(block, 32, copyOf(taken.snapshot_id)))).code).to.equal(
        status.OUT_OF_RANGE,
      );
    });

    it('refuses a copy of another volume mode', async () => {
      const source = await create(block, 10);

      const { code } = await driver.failure('CreateVolume', request(filesystem, 10, cloneOf(source)));
      expect(code).to.equal(status.INVALID_ARGUMENT);
    });
  });

  describe('growth', () => {
    it('grows a Block volume under the pod that uses it', async () => {
      const volume = await create(block, 16);

      await inside(volume, block, async (target) => {
        expect(await deviceBytes(target)).to.equal(16 * MiB);
        await expand(volume, target, 48);
        expect(await deviceBytes(target)).to.equal(48 * MiB);
      });
    });

    for (const { name, capability, parameters } of [
      { name: 'a filesystem of an enforced size', capability: filesystem, parameters: { enforceSize: 'true' } },
      { name: 'a quota', capability: filesystem, parameters: { quota: 'true' } },
    ]) {
      it(`grows ${name} under the pod that uses it`, async () => {
        const volume = await create(capability, 64, { parameters });

        await inside(volume, capability, async (target) => {
          await expand(volume, target, 256);
          await writeFile(join(target, 'file'), Buffer.alloc(200 * MiB));
        });
      });
    }

    it('grows ext4 when it is mounted next', async () => {
      const volume = await create(ext4, 64, { parameters: { enforceSize: 'true' } });
      const expansion = { volume_id: volume, capacity_range: { required_bytes: 256 * MiB } };
      await driver.call('ControllerExpandVolume', expansion);

      await inside(volume, ext4, async (target) => {
        await driver.call('NodeExpandVolume', { ...expansion, volume_path: target });
        await writeFile(join(target, 'file'), Buffer.alloc(200 * MiB));
      });
    });

    it('keeps the size when asked for a smaller one', async () => {
      const volume = await create(filesystem, 20);
      const range = { capacity_range: { required_bytes: 10 * MiB } };

      const answer = await driver.call('ControllerExpandVolume', { volume_id: volume, ...range });
      expect(answer).to.deep.equal({ capacity_bytes: 20 * MiB, node_expansion_required: false });
    });
  });

  describe('class parameters', () => {
    it('clone: "false" refuses to clone, and still restores snapshots', async () => {
      const parameters = { clone: 'false' };
      const source = await create(filesystem, 10, { parameters });
      const taken = await snapshot(source);

      const failure = await driver.failure('CreateVolume', request(filesystem, 10, { parameters, ...cloneOf(source) }));
      expect(failure.code).to.equal(status.INVALID_ARGUMENT);
      expect(failure.details).to.contain('clone: "false"');
      await create(filesystem, 10, { parameters, ...copyOf(taken.snapshot_id) });
    });

    it('snapshot: "false" refuses snapshots', async () => {
      const source = await create(filesystem, 10, { parameters: { snapshot: 'false' } });

      const failure = await driver.failure('CreateSnapshot', { name: 'refused', source_volume_id: source });
      expect(failure.code).to.equal(status.FAILED_PRECONDITION);
    });

    it('expansion: "false" refuses growth', async () => {
      const volume = await create(filesystem, 10, { parameters: { expansion: 'false' } });

      const failure = await driver.failure('ControllerExpandVolume', {
        volume_id: volume,
        capacity_range: { required_bytes: 20 * MiB },
      });
      expect(failure.code).to.equal(status.INVALID_ARGUMENT);
    });

    it('capacityBytes is what all volumes of the class have together', async () => {
      const parameters = { capacityBytes: `${100 * MiB}` };
      const first = await create(filesystem, 60, { parameters });

      const second = request(filesystem, 60, { parameters });
      expect((await driver.failure('CreateVolume', second)).code).to.equal(status.RESOURCE_EXHAUSTED);
      expect((await driver.call('GetCapacity', { parameters })).available_capacity).to.equal(40 * MiB);
      const expansion = { volume_id: first, capacity_range: { required_bytes: 120 * MiB } };
      expect((await driver.failure('ControllerExpandVolume', expansion)).code).to.equal(status.OUT_OF_RANGE);
      await driver.call('DeleteVolume', { volume_id: first });
      await driver.call('CreateVolume', second);
    });

    for (const capability of [filesystem, ext4]) {
      it(`enforceSize: "true" makes a volume that can be full, with ${capability === ext4 ? 'ext4' : 'XFS'}`, async () => {
        const volume = await create(capability, 64, { parameters: { enforceSize: 'true' } });

        await inside(volume, capability, async (target) => {
          const failure = await writeFile(join(target, 'file'), Buffer.alloc(70 * MiB)).catch(
            (error: NodeJS.ErrnoException) => error.code,
          );
          expect(failure).to.equal('ENOSPC');
          expect(await run('stat', '--file-system', '--format=%T', target)).to.match(
            capability === ext4 ? /ext/ : /xfs/,
          );
        });
      });
    }

    it('quota: "true" makes a volume that is full before its free space says so', async () => {
      const volume = await create(filesystem, 64, { parameters: { quota: 'true' } });

      await inside(volume, filesystem, async (target) => {
        const { bavail, bsize } = await statfs(target);
        expect(bavail * bsize).to.be.greaterThan(128 * MiB);
        expect(await bytesThatFit(target)).to.be.within(50 * MiB, 64 * MiB);
      });
    });

    it('roundUpBytes makes and grows volumes by that much', async () => {
      const parameters = { roundUpBytes: `${32 * MiB}` };
      const { volume } = await driver.call('CreateVolume', request(filesystem, 10, { parameters }));
      expect(volume.capacity_bytes).to.equal(32 * MiB);
      const expansion = { volume_id: volume.volume_id, capacity_range: { required_bytes: 33 * MiB } };
      expect((await driver.call('ControllerExpandVolume', expansion)).capacity_bytes).to.equal(64 * MiB);
    });

    it('restoreSize: "used" makes snapshots that tell less than their volume has', async () => {
      for (const parameters of [{ restoreSize: 'used' }, { restoreSize: 'used', enforceSize: 'true' }]) {
        const source = await create(filesystem, 64, { parameters });
        await inside(source, filesystem, (target) => writeFile(join(target, 'file'), randomBytes(5 * MiB)));
        const taken = await snapshot(source);
        expect(taken.size_bytes).to.be.within(5 * MiB, 20 * MiB);

        const small = request(filesystem, 32, { parameters, ...copyOf(taken.snapshot_id) });
        expect((await driver.failure('CreateVolume', small)).code).to.equal(status.OUT_OF_RANGE);
        await create(filesystem, 64, { parameters, ...copyOf(taken.snapshot_id) });
      }
    });

    it('restoreSize: "used" and quota: "true" make copies as small as what was used', async () => {
      const parameters = { restoreSize: 'used', quota: 'true' };
      const source = await create(filesystem, 64, { parameters });
      const taken = await snapshot(source);

      await create(filesystem, 16, { parameters, ...copyOf(taken.snapshot_id) });
    });

    it('callSeconds makes every call slow', async () => {
      const volume = await create(filesystem, 10, { parameters: { callSeconds: '1' } });
      const target = pool.target('slow');
      const publication = { volume_id: volume, target_path: target, volume_capability: filesystem };
      for (const call of [
        () => driver.call('NodePublishVolume', publication),
        () => driver.call('NodeUnpublishVolume', publication),
        () => driver.call('DeleteVolume', publication),
      ]) {
        const started = performance.now();
        await call();
        expect(performance.now() - started).to.be.greaterThan(990);
      }
    });

    it('delaySeconds makes it slow', async () => {
      const started = performance.now();
      await create(filesystem, 10, { parameters: { delaySeconds: '1' } });

      expect(performance.now() - started).to.be.greaterThan(990);
    });

    it('readyAfterSeconds makes a snapshot that is not ready at once', async () => {
      const source = await create(filesystem, 10);
      const taken = await snapshot(source, { readyAfterSeconds: '4' });

      expect(taken.ready_to_use).to.be.false;
      const early = await driver.failure('CreateVolume', request(filesystem, 10, copyOf(taken.snapshot_id)));
      expect(early.code).to.equal(status.FAILED_PRECONDITION);
      await eventually('it is ready', async () => {
        const { entries } = await driver.call('ListSnapshots', { snapshot_id: taken.snapshot_id });
        return entries[0]?.snapshot.ready_to_use;
      });
      await create(filesystem, 10, copyOf(taken.snapshot_id));
    });

    it('refuses a parameter that it does not know, and a value that one cannot have', async () => {
      for (const parameters of [{ clones: 'false' }, { clone: 'no' }, { delaySeconds: '-1' }]) {
        const { code } = await driver.failure('CreateVolume', request(filesystem, 10, { parameters }));
        expect(code).to.equal(status.INVALID_ARGUMENT);
      }
    });
  });

  describe('nodes', () => {
    let other: CsiDriver;

    before(async () => {
      other = new CsiDriver(pool, 'node-2', proto, ['--topology-key', TOPOLOGY_KEY]);
      await other.start();
    });

    after(() => other?.close());

    const at = (node: string) => ({ segments: { [TOPOLOGY_KEY]: node } });
    const local = { parameters: { local: 'true' } };

    it('local: "true" binds a volume and its copies to the node that was asked for', async () => {
      const requirement = {
        accessibility_requirements: { requisite: [at('node-1'), at('node-2')], preferred: [at('node-2')] },
      };
      const { volume } = await driver.call('CreateVolume', request(filesystem, 10, { ...local, ...requirement }));
      expect(volume.accessible_topology).to.deep.equal([at('node-2')]);

      const publication = {
        volume_id: volume.volume_id,
        target_path: pool.target('local'),
        volume_capability: filesystem,
      };
      expect((await driver.failure('NodePublishVolume', publication)).code).to.equal(status.FAILED_PRECONDITION);
      await other.call('NodePublishVolume', publication);
      await other.call('NodeUnpublishVolume', publication);

      const elsewhere = { accessibility_requirements: { requisite: [at('node-1')], preferred: [at('node-1')] } };
      const clone = request(filesystem, 10, { ...local, ...elsewhere, ...cloneOf(volume.volume_id) });
      expect((await driver.failure('CreateVolume', clone)).code).to.equal(status.RESOURCE_EXHAUSTED);
    });

    it('shows both nodes one device, as long as one of them needs it', async () => {
      const volume = await create(block, 16);
      const mode = { block: {}, access_mode: { mode: 'MULTI_NODE_MULTI_WRITER' } };
      const here = await publish(volume, mode);
      const there = { volume_id: volume, target_path: pool.target('there'), volume_capability: mode };
      await other.call('NodePublishVolume', there);

      await writeFile(here, 'written on the first', { flag: 'r+' });
      await unpublish(volume, here);
      expect((await driver.failure('DeleteVolume', { volume_id: volume })).code).to.equal(status.FAILED_PRECONDITION);
      expect((await readFile(there.target_path)).toString('utf8', 0, 20)).to.equal('written on the first');
      await other.call('NodeUnpublishVolume', there);
      expect(await pool.loopDevices()).to.deep.equal([]);
    });
  });

  it('does not delete a volume that is published', async () => {
    const volume = await create(filesystem, 10);

    await inside(volume, filesystem, async () => {
      expect((await driver.failure('DeleteVolume', { volume_id: volume })).code).to.equal(status.FAILED_PRECONDITION);
    });
    await driver.call('DeleteVolume', { volume_id: volume });
  });

  it('tells how much there is of a volume, also where the kubelet has mounted a device again', async () => {
    const device = await create(block, 16);
    await inside(device, block, async (target) => {
      const again = pool.target('again');
      await writeFile(again, '');
      await run('mount', '--bind', target, again);
      for (const path of [target, again]) {
        const { usage } = await driver.call('NodeGetVolumeStats', { volume_id: device, volume_path: path });
        expect(usage.map(({ unit, total }) => ({ unit, total }))).to.deep.equal([{ unit: 'BYTES', total: 16 * MiB }]);
      }
      await run('umount', again);
    });
    const folder = await create(filesystem, 64, { parameters: { enforceSize: 'true' } });
    await inside(folder, filesystem, async (target) => {
      const { usage } = await driver.call('NodeGetVolumeStats', { volume_id: folder, volume_path: target });
      expect(usage.map(({ unit }) => unit)).to.deep.equal(['BYTES', 'INODES']);
      expect(usage[0]?.available).to.be.within(40 * MiB, 64 * MiB);
    });
  });

  it('publishes read-only and for writing side by side', async () => {
    for (const parameters of [{}, { enforceSize: 'true' }]) {
      const volume = await create(filesystem, 32, { parameters });

      await inside(volume, filesystem, async (target) => {
        const readOnly = await publish(volume, filesystem, { readonly: true });
        await writeFile(join(target, 'file'), 'content');
        expect(await readFile(join(readOnly, 'file'), 'utf8')).to.equal('content');
        const failure = await writeFile(join(readOnly, 'file'), 'x').catch(
          (error: NodeJS.ErrnoException) => error.code,
        );
        expect(failure).to.equal('EROFS');
        await unpublish(volume, readOnly);
      });
    }
  });

  it('goes on where a killed driver was', async () => {
    const volume = await create(block, 16);
    const target = await publish(volume, block);
    const taken = await snapshot(volume);

    await driver.stop('SIGKILL');
    await writeFile(target, 'while it was away', { flag: 'r+' });
    await driver.start();

    const { entries } = await driver.call('ListSnapshots', { source_volume_id: volume });
    expect(entries.map((entry) => entry.snapshot)).to.deep.equal([taken]);
    expect((await readFile(target)).toString('utf8', 0, 17)).to.equal('while it was away');
    await unpublish(volume, target);
    expect(await access(target).catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ENOENT');
    expect(await pool.loopDevices()).to.deep.equal([]);
    await driver.call('DeleteVolume', { volume_id: volume });
  });

  it('detaches at its start what no pod has any more', async () => {
    const volume = await create(block, 16);
    const target = await publish(volume, block);
    await driver.stop('SIGKILL');
    await run('umount', target);

    await driver.start();

    expect(await pool.loopDevices()).to.deep.equal([]);
    await driver.call('DeleteVolume', { volume_id: volume });
  });

  it('tells the kubelet where it is', async () => {
    const root = loadPackageDefinition(fromJSON(REGISTRATION, { keepCase: true, defaults: true })) as unknown as {
      pluginregistration: { Registration: ServiceClientConstructor };
    };
    const socket = join(driver.registrationDirectory, 'csi.diskpress.test-reg.sock');
    const kubelet = connect(root.pluginregistration.Registration, socket);

    const info = await callMethod(kubelet, 'GetInfo', {});
    kubelet.close();
    expect(info).to.deep.equal({
      type: 'CSIPlugin',
      name: 'csi.diskpress.test',
      endpoint: driver.socketPath,
      supported_versions: ['1.0.0'],
    });
  });
});
