import { join } from 'node:path';
import { expect } from 'chai';
import { services } from '../../src/kube/builtin-resources.ts';
import { roleCertificates } from '../../src/protocol/installation.ts';
import { RECEIVED_HEADER } from '../../src/server/upload-protocol.ts';
import { inBrowser } from '../support/browser.ts';
import { untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { productNamespace } from '../support/environment.ts';
import { readVolume } from '../support/volume-content.ts';
import { startFrontServer } from './support/front-server.ts';
import { readyUpload } from './support/ready-upload.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';

/** What the answers to the page's requests were. */
interface PageAnswers {
  readonly asked: readonly [status: number, received: string | null];
  readonly sent: number;
  readonly again: readonly [status: number, body: string];
}

const UPLOADING_PAGE = `<!doctype html>
<title>Upload</title>
<input type="file">
<script>
  async function upload({ url, token, received }) {
    const headers = { authorization: 'Bearer ' + token };
    const asked = await fetch(url, { method: 'HEAD', headers });
    const sent = await fetch(url, { method: 'POST', headers, body: document.querySelector('input').files[0] });
    const again = await fetch(url, { method: 'POST', headers, body: 'more' });
    return {
      asked: [asked.status, asked.headers.get(received)],
      sent: sent.status,
      again: [again.status, await again.text()],
    };
  }
</script>`;

describe('an upload', function () {
  this.timeout(180_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);

  it('comes from a page of another origin in a browser', async () => {
    const { key, token } = await readyUpload(suite, clients, 'by-a-page');
    const options = { url: `${clients.port.url}/v1beta1/upload`, token, received: RECEIVED_HEADER };
    const answers = await inBrowser(UPLOADING_PAGE, async (page) => {
      await page.setInputFiles('input', join(suite.disk.folder, diskFile.qcow2Compressed));
      return page.evaluate<PageAnswers>(`upload(${JSON.stringify(options)})`);
    });
    expect(answers.asked).to.deep.equal([200, '0']);
    expect(answers.sent).to.equal(200);
    expect(answers.again[0]).to.equal(409);
    expect(answers.again[1]).to.include('already has its upload');
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('comes through a server that passes requests on, as an Ingress controller does', async () => {
    const service = { namespace: productNamespace, name: roleCertificates.uploadproxy.service };
    const address = (await suite.client.get(services, service))?.spec?.clusterIP;
    const front = await startFrontServer({ to: `${address}:443`, state: suite.state });
    try {
      const { code, stderr } = await clients.diskpress(
        join(suite.disk.folder, diskFile.qcow2Compressed),
        'dv/through-a-front',
        ...['--storage-class', suite.classes.standard, '--uploadproxy-url', front.url, '--ca', front.authority],
      ).ended;
      expect(code, stderr).to.equal(0);
    } finally {
      await front.stop();
    }
    const key = suite.key('through-a-front');
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });
});
