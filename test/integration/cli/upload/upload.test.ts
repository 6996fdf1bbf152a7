import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { TransferError } from '../../../../src/base/errors.ts';
import { upload as uploadHere, type UploadOptions } from '../../../../src/cli/upload/upload.ts';
import { PREFIX_SHA256_HEADER, SHA256_HEADER } from '../../../../src/server/upload-protocol.ts';
import { eventually } from '../../../support/eventually.ts';
import { productCommand } from '../../../support/product-command.ts';
import { rejection } from '../../../support/rejection.ts';
import { createCertificate } from '../../support/certificates.ts';
import { run } from '../../support/processes.ts';
import { ReceivingProxy } from './receiving-proxy.ts';
import { SmallCluster } from './small-cluster.ts';

const MEBIBYTE = 2 ** 20;
const dataVolumes = '/apis/cdi.kubevirt.io/v1beta1/namespaces/team/datavolumes';
const claims = '/api/v1/namespaces/team/persistentvolumeclaims';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('diskpress upload', function () {
  this.timeout(60_000);
  let directory: string;
  let kubeConfig: string;
  let file: string;
  let image: Buffer;
  let authority: string;
  let cluster: SmallCluster;
  let proxy: ReceivingProxy;

  const start = (parameters: string[], input: 'ignore' | 'pipe' = 'ignore'): ChildProcess =>
    spawn(process.execPath, [...productCommand, 'upload', ...parameters], {
      stdio: [input, 'pipe', 'pipe'],
      env: { ...env, KUBECONFIG: kubeConfig },
    });
  const ended = async (child: ChildProcess) => {
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    return { code, stdout, stderr };
  };
  const upload = (...parameters: string[]) => ended(start(parameters));

  const setConfig = (status: object, spec: object = {}) => {
    cluster.objects.set('/apis/cdi.kubevirt.io/v1beta1/cdiconfigs/config', {
      metadata: { name: 'config', namespace: '' },
      spec,
      status: { filesystemOverhead: { global: '0.1' }, ...status },
    });
  };
  /** A DataVolume that waits for its image. */
  const ready = (name: string, more: object = {}) => {
    const object = { metadata: { name, namespace: 'team' }, spec: { source: { upload: {} } }, status: {} };
    cluster.objects.set(`${dataVolumes}/${name}`, { ...object, status: { phase: 'UploadReady' }, ...more });
  };

  const { KUBECONFIG } = env;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-upload-'));
    kubeConfig = join(directory, 'kubeconfig');
    file = join(directory, 'Fedora_42.qcow2.bin');
    image = randomBytes(5 * MEBIBYTE + 123);
    await writeFile(file, image);
    const certificate = await createCertificate(directory);
    authority = await readFile(certificate.authority, 'utf8');
    proxy = await ReceivingProxy.start(certificate);
    cluster = await SmallCluster.start(kubeConfig);
  });

  beforeEach(() => {
    cluster.objects.clear();
    cluster.requests.length = 0;
    cluster.onCreate = (object) => {
      object.status = { phase: 'UploadReady' };
    };
    cluster.onToken = (token) => proxy.tokens.add(token);
    proxy.reset();
    proxy.onComplete = () => {
      for (const object of cluster.objects.values()) {
        if (object.status?.['phase'] === 'UploadReady') object.status = { phase: 'Succeeded' };
      }
    };
    setConfig({ uploadProxyURL: proxy.url, uploadProxyCA: authority });
  });

  afterEach(() => {
    if (KUBECONFIG === undefined) delete env.KUBECONFIG;
    else env.KUBECONFIG = KUBECONFIG;
  });

  after(async () => {
    await Promise.all([proxy.stop(), cluster.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('makes a DataVolume of the size that the image says, and sends the image', async () => {
    const qcow2 = join(directory, 'small.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', qcow2, '67M']);
    const { code, stdout, stderr } = await upload(qcow2);
    expect(stderr).to.include('made DataVolume team/small of 67Mi');
    expect(stdout).to.match(/^DataVolume team\/small: \d+ KiB sent, [\d.]+ s\n$/);
    expect(code).to.equal(0);
    expect(proxy.received.equals(await readFile(qcow2))).to.be.true;
    expect(cluster.objects.get(`${dataVolumes}/small`)?.spec).to.deep.equal({
      source: { upload: {} },
      contentType: 'kubevirt',
      storage: { resources: { requests: { storage: '67Mi' } } },
    });
  });

  it('makes what the options say', async () => {
    const options = ['--size', '3Gi', '--storage-class', 'fast', '--access-mode', 'ReadWriteMany', '--force-bind'];
    const { code } = await upload(file, 'dv/vm', ...options, '--volume-mode', 'Block', '--archive');
    expect(code).to.equal(0);
    const made = cluster.objects.get(`${dataVolumes}/vm`);
    expect(made?.metadata.annotations).to.deep.equal({ 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' });
    expect(made?.spec).to.deep.equal({
      source: { upload: {} },
      contentType: 'archive',
      storage: {
        resources: { requests: { storage: '3Gi' } },
        storageClassName: 'fast',
        accessModes: ['ReadWriteMany'],
        volumeMode: 'Block',
      },
    });
  });

  it('makes a claim with room for the disk, where the cluster does not do that', async () => {
    setConfig({ uploadProxyURL: proxy.url, uploadProxyCA: authority }, { webhookPvcRendering: 'Disabled' });
    cluster.onCreate = ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'cdi.kubevirt.io/storage.pod.ready': 'true' };
    };
    proxy.onComplete = () => {
      const made = cluster.objects.get(`${claims}/vm`)!;
      made.metadata.annotations = { ...made.metadata.annotations, 'cdi.kubevirt.io/storage.pod.phase': 'Succeeded' };
    };
    const raw = join(directory, 'raw.img');
    await writeFile(raw, Buffer.alloc(10 * MEBIBYTE));
    const { code } = await upload(raw, 'pvc/vm');
    expect(code).to.equal(0);
    expect(cluster.objects.get(`${claims}/vm`)).to.deep.include({
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: String(11 * MEBIBYTE) } } },
    });
  });

  it('goes on after what the server has, whenever the connection breaks', async () => {
    ready('vm');
    proxy.fail({ cutAfter: 0 }, { cutAfter: MEBIBYTE + 1 }, { cutAfter: 2 * MEBIBYTE });
    const { code, stderr } = await upload(file, 'dv/vm');
    expect(code, stderr).to.equal(0);
    expect(proxy.received.equals(image)).to.be.true;
    expect(proxy.uploads.map((headers) => headers['content-range'])).to.deep.equal([
      undefined,
      undefined,
      `bytes ${MEBIBYTE + 1}-${image.length - 1}/${image.length}`,
      `bytes ${3 * MEBIBYTE + 1}-${image.length - 1}/${image.length}`,
    ]);
    expect(proxy.uploads.at(-1)?.[PREFIX_SHA256_HEADER]).to.equal(sha256(image.subarray(0, 3 * MEBIBYTE + 1)));
  });

  it('goes on when it is run again after Ctrl-C', async () => {
    ready('vm');
    const child = start([file, 'dv/vm']);
    const outcome = ended(child);
    const interrupt = async () => {
      child.kill('SIGINT');
      await outcome;
    };
    proxy.fail({ cutAfter: MEBIBYTE, onCut: interrupt });
    const { code, stderr } = await outcome;
    expect(code).to.equal(130);
    expect(stderr).to.match(
      /DataVolume team\/vm is unfinished; the same command goes on from here\n.*: interrupted\n$/,
    );
    const again = await upload(file, 'dv/vm');
    expect(again.code).to.equal(0);
    expect(again.stderr).to.match(/going on after [\d.]+ MiB/);
    expect(again.stdout).to.match(/had been sent before/);
    expect(proxy.received.equals(image)).to.be.true;
  });

  it('starts over where the server has the beginning of another image', async () => {
    ready('vm');
    proxy.hold(randomBytes(MEBIBYTE));
    const { code, stderr } = await upload(file, 'dv/vm');
    expect(code).to.equal(0);
    expect(stderr).to.include('starting over: another image');
    expect(proxy.received.equals(image)).to.be.true;
  });

  it('never joins the parts of two images, if the file is written between them', async () => {
    ready('vm');
    const changing = join(directory, 'changing.img');
    await writeFile(changing, image);
    const other = randomBytes(image.length);
    proxy.fail({ cutAfter: MEBIBYTE, onCut: () => writeFile(changing, other, { flag: 'r+' }) });
    const { code, stderr } = await upload(changing, 'dv/vm');
    expect(code, stderr).to.equal(0);
    expect(proxy.received.equals(other)).to.be.true;
  });

  it('waits while the proxy asks for that, and uses a new token in place of one that has expired', async () => {
    ready('vm');
    proxy.fail({ answer: { status: 503, sentence: 'the server is being replaced' } });
    cluster.onToken = (token) => {
      if (token.endsWith('1')) cluster.onToken = (next) => proxy.tokens.add(next);
      else proxy.tokens.add(token);
    };
    const { code } = await upload(file, 'dv/vm', '--json');
    expect(code).to.equal(0);
    expect(proxy.received.equals(image)).to.be.true;
  });

  it('ends with what the server says of an image that it refuses', async () => {
    ready('vm');
    proxy.fail({ answer: { status: 400, sentence: 'the image is damaged at byte 65536: make it again' } });
    const { code, stderr } = await upload(file, 'dv/vm');
    expect(stderr).to.equal('diskpress: the image is damaged at byte 65536: make it again\n');
    expect(code).to.equal(1);
  });

  it('ends when a new token is refused as well', async () => {
    ready('vm');
    cluster.onToken = () => undefined;
    const { code, stderr } = await upload(file, 'dv/vm');
    expect(stderr).to.match(/^diskpress: the upload proxy .* answered 401 Unauthorized/);
    expect(code).to.equal(1);
  });

  it('does not send the end of a file that is another one than expected', async () => {
    ready('vm');
    const other = sha256(randomBytes(1));
    const { code, stderr } = await upload(file, 'dv/vm', '--sha256', other);
    expect(stderr).to.match(/^diskpress: the sha256 of .* is [0-9a-f]{64}, and [0-9a-f]{64} was expected/);
    expect(code).to.equal(1);
    expect(proxy.isComplete).to.be.false;
    expect(proxy.uploads.at(-1)?.[SHA256_HEADER]).to.equal(other);
    const right = await upload(file, 'dv/vm', '--sha256', sha256(image));
    expect(right.code, right.stderr).to.equal(0);
    expect(proxy.received.equals(image)).to.be.true;
  });

  it('reads standard input, whose size is not known', async () => {
    const child = start(['-', 'dv/vm', '--size', '10Mi'], 'pipe');
    const outcome = ended(child);
    child.stdin!.on('error', () => undefined).end(image);
    const { code, stderr } = await outcome;
    expect(code, stderr).to.equal(0);
    expect(proxy.received.equals(image)).to.be.true;
    expect(proxy.uploads[0]).to.include({ 'transfer-encoding': 'chunked' });
  });

  it('says that standard input cannot be read again', async () => {
    ready('vm');
    proxy.fail({ cutAfter: MEBIBYTE });
    const child = start(['-', 'dv/vm'], 'pipe');
    const outcome = ended(child);
    child.stdin!.on('error', () => undefined).end(image);
    const { code, stderr } = await outcome;
    expect(stderr).to.match(/^diskpress: standard input can be read only once: run the same command again/);
    expect(code).to.equal(1);
  });

  it('tells what it waits for until the claim is ready', async () => {
    const conditions = [{ type: 'Running', status: 'False', message: 'no node has room' }];
    ready('vm', { status: { phase: 'UploadScheduled', conditions } });
    const child = start([file, 'dv/vm']);
    const outcome = ended(child);
    const looks = () => cluster.requests.filter((request) => request === `GET ${dataVolumes}/vm`).length;
    await eventually('it looks again', () => looks() > 2);
    ready('vm');
    const { code, stderr } = await outcome;
    expect(stderr).to.equal('diskpress: waiting: DataVolume team/vm: no node has room\n');
    expect(code).to.equal(0);
  });

  it('says what it waited for in vain', async () => {
    const conditions = [{ type: 'Running', status: 'False', message: 'no node has room' }];
    ready('vm', { status: { phase: 'UploadScheduled', conditions } });
    const { code, stderr } = await upload(file, 'dv/vm', '--wait', '1');
    expect(stderr).to.match(/DataVolume team\/vm is not ready after 1 s: no node has room\n$/);
    expect(code).to.equal(1);
  });

  it('binds the claim at once where it is told to, and otherwise says that a pod is waited for', async () => {
    ready('vm', { status: { phase: 'WaitForFirstConsumer' } });
    const { code, stderr } = await upload(file, 'dv/vm');
    expect(stderr).to.match(/waits for a pod that uses its claim: make that pod, or add --force-bind/);
    expect(code).to.equal(1);
    await upload(file, 'dv/vm', '--force-bind');
    expect(cluster.objects.get(`${dataVolumes}/vm`)?.metadata.annotations).to.deep.equal({
      'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
    });
  });

  interface Refused {
    given?: () => void;
    target: string;
    options?: Partial<UploadOptions>;
    sentence: RegExp;
  }
  const refused: Record<string, Refused> = {
    'a DataVolume that has its data': {
      given: () => ready('vm', { status: { phase: 'Succeeded' } }),
      target: 'dv/vm',
      sentence: /DataVolume team\/vm has its data already/,
    },
    'a DataVolume that has failed': {
      given: () => {
        const conditions = [{ type: 'Running', status: 'False', message: 'the disk is too large' }];
        ready('vm', { status: { phase: 'Failed', conditions } });
      },
      target: 'dv/vm',
      sentence: /DataVolume team\/vm has failed: the disk is too large/,
    },
    'a DataVolume with another source': {
      given: () => ready('vm', { spec: { source: { blank: {} } } }),
      target: 'dv/vm',
      sentence: /DataVolume team\/vm exists, and is not for uploads/,
    },
    'a claim that is not for uploads': {
      given: () => cluster.objects.set(`${claims}/vm`, { metadata: { name: 'vm', namespace: 'team' } }),
      target: 'pvc/vm',
      sentence: /PersistentVolumeClaim team\/vm exists, and is not for uploads/,
    },
    'a DataVolume that does not exist, with --no-create': {
      target: 'dv/vm',
      options: { create: false },
      sentence: /DataVolume team\/vm does not exist/,
    },
    'a target of another kind': { target: 'vm/disk', sentence: /should be dv\/NAME or pvc\/NAME/ },
    'a cluster that does not say where its proxy is': {
      given: () => setConfig({}),
      target: 'dv/vm',
      sentence: /the cluster does not say at which URL its upload proxy is reached/,
    },
    'a proxy that is not trusted': {
      given: () => {
        ready('vm');
        setConfig({ uploadProxyURL: proxy.url });
      },
      target: 'dv/vm',
      sentence: /has a certificate that is not trusted/,
    },
  };
  for (const [title, { given, target, options, sentence }] of Object.entries(refused)) {
    it(`refuses ${title}`, async () => {
      given?.();
      env.KUBECONFIG = kubeConfig;
      const { signal } = new AbortController();
      const failure = await rejection(uploadHere(file, target, { create: true, wait: 10, ...options }, signal));
      expect(failure).to.be.instanceOf(TransferError).and.have.property('message').that.matches(sentence);
      expect(proxy.uploads).to.deep.equal([]);
    });
  }

  it('trusts the proxy behind a port of this machine by the name of its Service', async () => {
    const folder = await mkdtemp(join(directory, 'forwarded-'));
    const certificate = await createCertificate(folder, 'DNS:cdi-uploadproxy');
    const forwarded = await ReceivingProxy.start(certificate);
    cluster.onToken = (token) => forwarded.tokens.add(token);
    forwarded.onComplete = proxy.onComplete;
    ready('vm');
    setConfig({ uploadProxyCA: await readFile(certificate.authority, 'utf8') });
    const { code, stderr } = await upload(file, 'dv/vm', '--uploadproxy-url', forwarded.url);
    await forwarded.stop();
    expect(code, stderr).to.equal(0);
    expect(forwarded.received.equals(image)).to.be.true;
  });

  it('never shows a token', async () => {
    ready('vm');
    proxy.fail({ cutAfter: MEBIBYTE });
    const { stdout, stderr } = await upload(file, 'dv/vm', '--json');
    expect(stdout + stderr).not.to.include('token-');
  });
});
