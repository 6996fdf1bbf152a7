import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type GcsServer, startGcsServer } from '../../support/gcs-server.ts';
import { s3Credentials, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { createPoller } from '../support/image-poller.ts';

const address = '127.0.0.1';

describe('polls of object storage', () => {
  let directory: string;
  let s3: S3Server;
  let gcs: GcsServer;

  const fileWith = async (content: string): Promise<string> => {
    const path = join(directory, 'object');
    await writeFile(path, content);
    return path;
  };

  before(async function () {
    // The servers are compiled on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-polls-'));
    s3 = await startS3Server({ address, state: directory });
    gcs = await startGcsServer({ address, state: directory });
  });

  after(async () => {
    await Promise.all([s3.stop(), gcs.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('notice another object in a bucket of S3, with a signature', async () => {
    const login = { accessKeyId: s3Credentials.accessKeyId, secretKey: s3Credentials.secretKey };
    const poller = createPoller({ login });
    const source = { s3: { url: `${s3.url}/golden/disk.img`, secretRef: 'login' } };
    await s3.put('golden', 'disk.img', await fileWith('one'));
    const found = await poller.poll(source);
    expect(await poller.poll(source, found)).to.include({ digest: found.digest, unchanged: true });
    await s3.put('golden', 'disk.img', await fileWith('two, and longer'));
    expect(await poller.poll(source, found)).to.include({ unchanged: false });
  });

  it('say what is wrong with a bucket, an object or a key of S3', async () => {
    const wrong = { accessKeyId: s3Credentials.accessKeyId, secretKey: 'wrong' };
    const login = { accessKeyId: s3Credentials.accessKeyId, secretKey: s3Credentials.secretKey };
    const poller = createPoller({ login, wrong });
    await s3.put('golden', 'disk.img', await fileWith('one'));
    const failureOf = (path: string, secretRef?: string) =>
      poller.failureOf({ s3: { url: `${s3.url}${path}`, ...(secretRef === undefined ? {} : { secretRef }) } });
    expect(await failureOf('/golden/none.img', 'login')).to.match(/^NotFound: .* the bucket has no such object/);
    expect(await failureOf('/none/disk.img', 'login')).to.match(/^NotFound: .* there is no such bucket/);
    expect(await failureOf('/golden/disk.img', 'wrong')).to.match(/^Unauthorized: .* the credentials are not valid/);
    expect(await failureOf('/golden/disk.img')).to.match(/^Unauthorized: .* it needs credentials, and none were given/);
  });

  it('notice another generation of an object of Google Cloud Storage', async () => {
    const poller = createPoller();
    const source = { gcs: { url: `${gcs.url}/golden/disk.img` } };
    await gcs.put('golden', 'disk.img', await fileWith('one'));
    const found = await poller.poll(source);
    expect(await poller.poll(source, found)).to.include({ digest: found.digest, unchanged: true });
    await gcs.put('golden', 'disk.img', await fileWith('two'));
    expect(await poller.poll(source, found)).to.include({ unchanged: false });
    expect(await poller.failureOf({ gcs: { url: `${gcs.url}/golden/none.img` } })).to.match(/^NotFound: /);
  });
});
