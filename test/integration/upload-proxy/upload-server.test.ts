import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { PersistentVolumeClaim } from '../../../src/kube/builtin-resources.ts';
import { UploadProxy } from '../../../src/services/uploadproxy/upload-proxy.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { freePorts } from '../../support/ports.ts';
import type { RunningRole } from '../support/running-role.ts';
import { mixedDisk, UploadRig } from '../upload/rig/upload-rig.ts';
import { INSTALLATION, Rig } from './rig.ts';

const MEBIBYTE = 1024 * 1024;

describe('the upload proxy before real upload servers', function () {
  this.timeout(120_000);
  let rig: Rig;
  let proxy: UploadProxy;
  let running: Promise<void>;
  let serverPort: number;
  let volume: UploadRig;
  let claim: PersistentVolumeClaim;
  let address: string;
  const stopping = new AbortController();
  const disk = mixedDisk(64);

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
    await rig.createKeys();
    [serverPort] = (await freePorts(1)) as [number];
    proxy = new UploadProxy({
      kubeConfig: rig.proxyAccess,
      namespace: INSTALLATION,
      logger: silentLogger(),
      host: '127.0.0.1',
      port: 0,
      metricsPort: 0,
      uploadServerPort: serverPort,
      unreadyFor: 0,
    });
    running = proxy.run(stopping.signal);
    await eventually('it is ready', async () => (await fetch(`http://127.0.0.1:${proxy.metricsPort}/readyz`)).ok);
  });
  after(async () => {
    stopping.abort();
    await running;
    await rig.stop();
  });

  beforeEach(async () => {
    claim = await rig.createClaim();
    const name = claim.metadata?.name ?? '';
    address = await rig.createService(name);
    volume = await UploadRig.create();
    for (const [file, content] of Object.entries(await rig.mountedKeys(name))) {
      await writeFile(join(volume.directory, 'tls', file), content);
    }
  });
  afterEach(async () => volume.dispose());

  const startServer = (): RunningRole =>
    volume.start({ target: { capacity: disk.length }, settings: { host: address, port: serverPort } });

  async function upload(
    body: Buffer | AsyncIterable<Buffer>,
    path = 'upload',
  ): Promise<{ status: number; text: string }> {
    const token = await rig.token(claim);
    return rig.send(proxy.port ?? 0, 'POST', `/v1beta1/${path}`, { token, body });
  }

  async function* slowly(content: Buffer, atHalf: () => Promise<unknown>): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += MEBIBYTE) {
      if (at === content.length / 2) await atHalf();
      yield content.subarray(at, at + MEBIBYTE);
    }
  }

  it('fills a disk', async () => {
    startServer();
    expect(await upload(disk)).to.include({ status: 200 });
    expect(disk.equals(await readFile(volume.diskImage))).to.equal(true);
  });

  it('goes on with a new server when one is killed, for a client that starts again at once', async () => {
    const first = startServer();
    const broken = await upload(slowly(disk, () => first.kill()));
    expect(broken.status).to.equal(503);
    expect(broken.text).to.contain('send the image again');
    const again = upload(disk);
    startServer();
    expect(await again).to.include({ status: 200 });
    expect(disk.equals(await readFile(volume.diskImage))).to.equal(true);
  });

  it('says what is wrong with an image', async () => {
    const server = startServer();
    const image = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.from([0, 0, 0, 3]), disk]);
    const { status, text } = await upload(image);
    expect(status).to.equal(400);
    expect(text).to.match(/qcow2|QCOW2|image/);
    await server.kill();
  });
});
