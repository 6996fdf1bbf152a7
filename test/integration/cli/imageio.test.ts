import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { type Ovirt, startOvirt } from '../../support/ovirt/ovirt.ts';
import { sameDisk } from '../support/images.ts';
import { addOvirtDisk, type OvirtDisk } from '../support/ovirt-pods.ts';
import { run } from '../support/processes.ts';

const script = fileURLToPath(new URL('../support/cli.ts', import.meta.url));

describe('diskpress import from oVirt', () => {
  let directory: string;
  let ovirt: Ovirt;
  let disk: OvirtDisk;
  let given: string;
  let authority: string;

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-ovirt-'));
    ovirt = await startOvirt({ address: '127.0.0.1', state: directory });
    disk = await addOvirtDisk(directory, ovirt);
    given = `${ovirt.engine.url.replace('https:', 'imageio:')}?disk=${disk.id}`;
    authority = join(directory, 'authority.pem');
    await writeFile(authority, ovirt.authority);
  });

  after(async () => {
    await ovirt.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(() => {
    expect(ovirt.transfers.open).to.deep.equal([]);
    expect([...ovirt.engine.sessions]).to.deep.equal([]);
  });

  const diskpress = (parameters: string[], environment: Record<string, string>) =>
    run(process.execPath, [script, ...parameters, '--ca', authority], {
      env: { ...process.env, OVIRT_USERNAME: ovirtLogin.user, ...environment },
    });

  it('takes the password from a file, and leaves the disk alone', async () => {
    const folder = await mkdtemp(join(directory, 'target-'));
    const password = join(directory, 'password');
    await writeFile(password, `${ovirtLogin.password}\n`);
    await diskpress(['import', given, join(folder, 'disk.img')], { OVIRT_PASSWORD_FILE: password });
    expect(await sameDisk(join(folder, 'disk.img'), disk.raw)).to.equal(true);
    expect(await readdir(folder)).to.deep.equal(['disk.img']);
  });

  it('inspects', async () => {
    const { stdout } = await diskpress(['inspect', '--json', given], { OVIRT_PASSWORD: ovirtLogin.password });
    expect(JSON.parse(stdout)).to.include({ format: 'raw', virtualSize: 80 * 1024 * 1024, size: disk.dataBytes });
  });
});
