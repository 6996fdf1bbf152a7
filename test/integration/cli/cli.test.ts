import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cachedTypeScript } from '../../support/product-command.ts';
import { vhdxImage } from '../../support/vhdx-image.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, run, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('diskpress import and inspect', () => {
  let directory: string;
  let raw: string;
  let qcow2: string;
  let server: Server;
  let slow: Server;
  let url: string;

  const script = fileURLToPath(new URL('../support/cli.ts', import.meta.url));
  const start = (...parameters: string[]): ChildProcessByStdio<null, Readable, null> =>
    spawn(process.execPath, [...cachedTypeScript, script, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  const diskpress = (...parameters: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [...cachedTypeScript, script, ...parameters], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-cli-'));
    const root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    qcow2 = join(root, 'disk.qcow2');
    await writeRawDisk(raw);
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, qcow2]);
    await run('qemu-img', ['convert', '-O', 'vhdx', raw, join(root, 'disk.vhdx')]);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(root, 'disk.qed')]);
    server = await startNginx({ directory, root });
    slow = await startNginx({ directory, root, directives: 'limit_rate 2m;' });
    url = `http://127.0.0.1:${server.port}`;
  });

  after(async () => {
    await Promise.all([server.stop(), slow.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('imports a URL into a file of the disk’s own size', async () => {
    const target = join(directory, 'from-url.img');
    const { code, stdout } = await diskpress('import', `${url}/disk.qcow2`, target);
    expect(code).to.equal(0);
    expect(stdout).to.match(/from-url\.img: 64 MiB from qcow2/);
    expect((await stat(target)).size).to.equal(64 * MEBIBYTE);
    expect(await sameDisk(target, raw)).to.equal(true);
  });

  it('imports a file, and tells its steps as JSON lines', async () => {
    const target = join(directory, 'from-file.img');
    const sha256 = createHash('sha256')
      .update(await readFile(qcow2))
      .digest('hex');
    const { code, stdout } = await diskpress('import', qcow2, target, '--sha256', sha256, '--json');
    expect(code).to.equal(0);
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const expected = ['connecting', 'recognised', 'converting', 'syncing', 'done', 'imported'];
    expect(steps.map(({ step }) => step).filter((step) => step !== 'progress')).to.deep.equal(expected);
    expect(steps.at(-1)).to.include({ step: 'imported', format: 'qcow2', virtualSize: 64 * MEBIBYTE });
    expect(await sameDisk(target, raw)).to.equal(true);
  });

  it('imports a local file that has to be read piece by piece', async () => {
    const target = join(directory, 'qed.img');
    expect((await diskpress('import', join(directory, 'www', 'disk.qed'), target)).code).to.equal(0);
    expect(await sameDisk(target, raw)).to.equal(true);
  });

  it('leaves what --resume goes on from when it is interrupted', async () => {
    const target = join(directory, 'interrupted.img');
    const parameters = ['import', `http://127.0.0.1:${slow.port}/disk.img`, target, '--json', '--connections', '1'];
    const child = start(...parameters);
    const steps: { step: string; bytesRead?: number }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const step = JSON.parse(line) as { step: string; bytesRead?: number };
      steps.push(step);
      if (step.step === 'progress' && Number(step.bytesRead) > 3 * MEBIBYTE) child.kill('SIGINT');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).to.equal(130);
    expect(steps.at(-2)).to.deep.equal({ step: 'resumable', target });
    expect(steps.at(-1)).to.include({ step: 'failed', code: 'Interrupted' });

    const { code, stdout, stderr } = await diskpress('import', `${url}/disk.img`, target, '--resume');
    expect(stderr).to.match(/starting over: the checkpoint is of another source/);
    expect(stdout).to.match(/interrupted\.img: 64 MiB from raw/);
    expect(code).to.equal(0);
    expect(await sameDisk(target, raw)).to.equal(true);
    expect((await readdir(directory)).filter((name) => name.startsWith('interrupted'))).to.have.lengthOf(1);
  });

  it('says that there is nothing that --resume could go on from', async () => {
    const target = join(directory, 'never-begun.img');
    const { code, stderr } = await diskpress('import', qcow2, target, '--resume');
    expect(code).to.equal(0);
    expect(stderr).to.match(/starting over: nothing is known of an interrupted import into .*never-begun\.img/);
    expect(await sameDisk(target, raw)).to.equal(true);
  });

  it('takes an image for what it is told that it is', async () => {
    const target = join(directory, 'as-raw.img');
    expect((await diskpress('import', qcow2, target, '--format', 'raw')).code).to.equal(0);
    expect((await readFile(target)).equals(await readFile(qcow2))).to.equal(true);
  });

  it('fails with one line and leaves no file behind', async () => {
    const target = join(directory, 'wrong.img');
    const { code, stderr } = await diskpress('import', `${url}/disk.img`, target, '--sha256', '0'.repeat(64));
    expect(code).to.equal(1);
    expect(stderr.trim().split('\n')).to.have.lengthOf(1);
    expect(stderr).to.match(/^diskpress: the sha256 of /);
    expect(await readdir(directory)).not.to.include('wrong.img');
    expect((await diskpress('import', `${url}/disk.img`, target, '--sha256', 'short')).stderr).to.match(
      /64 hexadecimal/,
    );
    expect((await diskpress('import', join(directory, 'missing'), target)).stderr).to.match(/cannot read .*ENOENT/);
  });

  it('ends at once where the source cannot be right', async () => {
    const target = join(directory, 'nothing.img');
    for (const [source, complaint] of [
      ['htp://127.0.0.1/disk.img', /scheme is htp: /],
      ['docker://', /the registry URL should be/],
      ['s3://', /should be s3:\/\/bucket\/object/],
      [directory, /is a folder: name the image in it$/m],
      [join(directory, 'missing'), /cannot read .*ENOENT/],
    ] as const) {
      const { code, stderr } = await diskpress('import', source, target);
      expect(code).to.equal(1);
      expect(stderr).to.match(complaint);
      const { stdout } = await diskpress('import', source, target, '--json');
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).to.include({ step: 'failed', permanent: true });
    }
  });

  it('says of a target that it cannot be one, before anything is written', async () => {
    const same = join(directory, 'same.img');
    await run('cp', [qcow2, same]);
    const before = await readFile(same);
    for (const [source, target, complaint] of [
      [same, same, /same\.img is the source itself: name another target/],
      [`file://${same}`, join(directory, 'www', '..', 'same.img'), /is the source itself/],
      [same, directory, /is a folder: name a file in it/],
      [same, '/dev/null', /\/dev\/null is neither a file nor a block device/],
    ] as const) {
      const { code, stderr } = await diskpress('import', source, target);
      expect(code).to.equal(1);
      expect(stderr).to.match(complaint);
    }
    expect((await readFile(same)).equals(before)).to.equal(true);
  });

  it('tells while it inspects what it waits for', async () => {
    const child = spawn(
      process.execPath,
      [...cachedTypeScript, script, 'inspect', `http://127.0.0.1:${await freePort()}/disk.img`],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    for await (const line of createInterface({ input: child.stderr })) {
      expect(line).to.match(/refused the connection: .*; trying again$/);
      child.kill();
    }
  });

  it('says that it was interrupted also while it waits for a server', async () => {
    const refused = `http://127.0.0.1:${await freePort()}/disk.img`;
    const child = start('import', refused, join(directory, 'waiting.img'), '--json');
    const steps: { step: string }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      steps.push(JSON.parse(line) as { step: string });
      if (steps.at(-1)?.step === 'retrying') child.kill('SIGTERM');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(steps.at(-1)).to.include({ step: 'failed', code: 'Interrupted' });
    expect(child.exitCode).to.equal(130);
  });

  it('inspects without reading more than the start', async () => {
    const text = await diskpress('inspect', `${url}/disk.qcow2`);
    expect(text.stdout)
      .to.match(/format:\s+qcow2/)
      .and.match(/virtual size:\s+64 MiB/);
    const { stdout } = await diskpress('inspect', `${url}/disk.img`, '--json');
    expect(JSON.parse(stdout)).to.deep.include({
      format: 'raw',
      size: 64 * MEBIBYTE,
      virtualSize: 64 * MEBIBYTE,
    });
    const vhdx = await diskpress('inspect', `${url}/disk.vhdx`);
    expect(vhdx.stdout)
      .to.match(/format:\s+vhdx \(dynamic\)/)
      .and.match(/virtual size:\s+64 MiB/);
    const fixed = join(directory, 'fixed.vhd');
    await run('qemu-img', ['convert', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on', raw, fixed]);
    expect((await diskpress('inspect', fixed)).stdout)
      .to.match(/format:\s+vhd \(fixed\)/)
      .and.match(/virtual size:\s+64 MiB/);
  });

  it('ends once it has told what a compressed image is, or that it cannot be imported', async () => {
    // More than is decompressed ahead of who reads.
    const noise = join(directory, 'noise.img');
    await run('dd', ['if=/dev/urandom', `of=${noise}`, 'bs=1M', 'count=16', 'status=none']);
    for (const [program, extension] of [
      ['gzip', 'gz'],
      ['xz', 'xz'],
      ['zstd', 'zst'],
    ] as const) {
      await run(program, program === 'xz' ? ['-0', '--keep', noise] : ['-1', '--keep', noise]);
      const { code, stdout } = await diskpress('inspect', `${noise}.${extension}`);
      expect(code, stdout).to.equal(0);
      expect(stdout).to.match(/raw/);
    }
    await run('tar', [
      '--create',
      '--file',
      join(directory, 'two.tar'),
      '--directory',
      directory,
      'noise.img',
      'noise.img.gz',
    ]);
    await run('gzip', ['-1', join(directory, 'two.tar')]);
    const refused = await diskpress('import', join(directory, 'two.tar.gz'), join(directory, 'refused.img'));
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(/two\.tar\.gz/);
  });

  it('inspects images that it would refuse, and says why', async () => {
    const image = join(directory, 'delta.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', raw, '-o', 'cluster_size=4k', image]);
    const { code, stdout } = await diskpress('inspect', image);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/cluster size:\s+4 KiB/)
      .and.match(/backing file:\s+".*disk.img"/)
      .and.match(/refused:.*backing file/);
    const vhdx = join(directory, 'delta.vhdx');
    await writeFile(vhdx, vhdxImage(Buffer.alloc(MEBIBYTE), { blockSize: MEBIBYTE, flags: 2 }));
    const delta = await diskpress('inspect', vhdx);
    expect(delta.stdout)
      .to.match(/format:\s+vhdx \(differencing\)/)
      .and.match(/refused:.*other files/);
  });
});
