import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withForwardedPort } from '../../support/port-forward.ts';
import { rejection } from '../../support/rejection.ts';

const RESET = 'Unhandled Error: read: connection reset by peer';
const FORWARDED = { namespace: 'team-a', name: 'service/any', port: 443 };

describe('a forwarded port', () => {
  const { PATH } = process.env;
  let folder: string;
  let told: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-test-'));
    told = [];
    process.env.PATH = `${folder}:${PATH}`;
  });

  afterEach(async () => {
    process.env.PATH = PATH;
    await rm(folder, { recursive: true, force: true });
  });

  async function kubectl(script: string): Promise<void> {
    await writeFile(join(folder, 'kubectl'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  const forwarded = (work: (port: string) => Promise<string>) =>
    withForwardedPort('/none', FORWARDED, work, (line) => void told.push(line));

  it('says nothing of connections that are reset where nothing fails', async () => {
    await kubectl(`echo '${RESET}' >&2; echo 'Forwarding from 127.0.0.1:40123 -> 443'; exec sleep 60`);
    expect(await forwarded(async (port) => port)).to.equal('40123');
    expect(told).to.deep.equal([]);
  });

  it('tells what was wrong with it where the work fails', async () => {
    await kubectl(`echo '${RESET}' >&2; echo 'Forwarding from 127.0.0.1:40123 -> 443'; exec sleep 60`);
    const failure = new Error('the upload ended early');
    expect(await rejection(forwarded(() => Promise.reject(failure)))).to.equal(failure);
    expect(told).to.deep.equal([`kubectl port-forward: ${RESET}`]);
  });

  it('tells why there is none', async () => {
    await kubectl('echo \'error: services "any" not found\' >&2; exit 1');
    expect(await rejection(forwarded(async (port) => port))).to.have.property(
      'message',
      'kubectl port-forward has ended',
    );
    expect(told).to.deep.equal(['kubectl port-forward: error: services "any" not found']);
  });
});
