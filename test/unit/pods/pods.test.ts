import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { copyFromEnvironment } from '../../../src/pods/copy-settings.ts';
import { mounted, readCredentials, readSecretHeaders } from '../../../src/pods/mounted-secrets.ts';
import { serveProgress } from '../../../src/pods/progress-server.ts';
import { serializeResult } from '../../../src/pods/termination.ts';
import { transferProgress, transferResult } from '../../../src/protocol/transfer-pod.ts';

describe('termination messages', () => {
  it('fit what Kubernetes keeps, and can be read', () => {
    const message = 'é"\n'.repeat(3000);
    const text = serializeResult({ outcome: 'failed', permanent: true, code: 'NotFound', message });
    expect(Buffer.byteLength(text)).to.be.at.most(4096);
    expect(transferResult.parse(JSON.parse(text))).to.include({ code: 'NotFound' });
    const labels = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`label-${index}`, 'x'.repeat(60)]));
    const succeeded = serializeResult({ outcome: 'succeeded', bytesRead: 1, bytesWritten: 2, labels });
    expect(transferResult.parse(JSON.parse(succeeded))).to.deep.equal({
      outcome: 'succeeded',
      bytesRead: 1,
      bytesWritten: 2,
    });
  });
});

describe('serveProgress', () => {
  it('tells people and Prometheus', async () => {
    process.env['OWNER_UID'] = 'the-uid';
    const progress = new Progress();
    progress.enter('copying');
    progress.counters.bytesTotal = 400;
    progress.read(100);
    const server = await serveProgress(progress, 0, 'kubevirt_cdi_import_progress_total');
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`);
    try {
      expect(transferProgress.parse(await (await get('/progress')).json())).to.include({
        stage: 'copying',
        percent: 25,
      });
      expect(await (await get('/healthz')).text()).to.equal('ok\n');
      const metrics = await (await get('/metrics')).text();
      expect(metrics).to.match(/^kubevirt_cdi_import_progress_total\{ownerUID="the-uid"\} 25$/m);
      expect(metrics).to.match(/^diskpress_transfer_read_bytes\{ownerUID="the-uid"\} 100$/m);
      expect((await get('/other')).status).to.equal(404);
    } finally {
      await server.close();
      delete process.env['OWNER_UID'];
    }
  });
});

describe('the copy of a pod', () => {
  afterEach(() => delete process.env['OWNER_UID']);

  it('is the claim that it is made for', () => {
    process.env['OWNER_UID'] = 'the-uid';
    expect(copyFromEnvironment()).to.equal('the-uid');
  });

  for (const [how, uid] of [
    ['is missing', undefined],
    ['says nothing', ''],
  ] as const) {
    it(`is refused where what tells of it ${how}`, () => {
      if (uid !== undefined) process.env['OWNER_UID'] = uid;
      expect(copyFromEnvironment).to.throw('OWNER_UID does not say which copy').with.property('code', 'InvalidRequest');
    });
  }
});

describe('mounted secrets', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-mounts-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('are credentials, or none', async () => {
    expect(await readCredentials(join(directory, 'missing'))).to.equal(undefined);
    await writeFile(join(directory, 'accessKeyId'), 'someone\n');
    expect(await readCredentials(directory)).to.deep.equal({ user: 'someone', password: '' });
    await writeFile(join(directory, 'secretKey'), 'pass\nword\n');
    expect(await readCredentials(directory)).to.deep.equal({ user: 'someone', password: 'pass\nword' });
  });

  it('are header lines, without the versions that a kubelet keeps', async () => {
    expect(await readSecretHeaders(join(directory, 'missing'))).to.deep.equal([]);
    for (const folder of ['0', '1/..2026_01_01']) await mkdir(join(directory, folder), { recursive: true });
    await writeFile(join(directory, '0', 'a'), 'X-A: 1');
    await writeFile(join(directory, '1', 'b'), 'X-B: 2');
    await writeFile(join(directory, '1', '..2026_01_01', 'b'), 'X-B: 2');
    expect(await readSecretHeaders(directory)).to.deep.equal(['X-A: 1', 'X-B: 2']);
    expect(await mounted([join(directory, 'missing'), directory])).to.deep.equal([directory]);
  });
});
