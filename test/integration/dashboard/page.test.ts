import axe from 'axe-core';
import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { launchBrowser } from '../../support/browser.ts';
import { HOSTILE, Rig } from './rig.ts';

const running = (message: string, reason = 'TransferRunning') => [
  { type: 'Running' as const, status: 'True' as const, reason, message },
];
const stopped = (reason: string, message: string) => [
  { type: 'Running' as const, status: 'False' as const, reason, message },
];

describe('the page of diskpress dashboard, in Chromium', function () {
  this.timeout(120_000);
  let rig: Rig;
  let browser: Browser;
  let address: string;
  const wrongs: string[] = [];

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
    await rig.createDataVolume('red', 'broken', {
      phase: 'Failed',
      conditions: stopped('ChecksumMismatch', 'the SHA-256 is another'),
    });
    const long = `the node has no room: ${'what it says is long, '.repeat(40)}and this is its end`;
    await rig.createDataVolume('red', 'stuck', {
      phase: 'ImportScheduled',
      conditions: stopped('Unschedulable', long),
    });
    await rig.createDataVolume('red', 'moving', {
      phase: 'ImportInProgress',
      progress: '12.00%',
      conditions: running('1.2 GiB of 10 GiB'),
    });
    const copied = await rig.createDataVolume(
      'red',
      'copied',
      { phase: 'CloneInProgress', progress: '45.20%', conditions: running('4.5 GiB of 10 GiB') },
      { pvc: { namespace: 'golden', name: 'fedora' } },
    );
    await rig.createCopiedClaim(copied);
    await rig.createDataVolume('blue', 'ready', { phase: 'Succeeded', progress: '100.0%' });
    await rig.createDataVolume(
      'blue',
      'hostile',
      { phase: 'Failed', conditions: stopped(HOSTILE, HOSTILE) },
      { http: { url: `https://user:secret@images.example/${HOSTILE}` } },
    );
    browser = await launchBrowser();
    ({ address } = await rig.startCommand('--all-namespaces'));
  });
  after(async () => {
    await browser?.close();
    await rig?.stop();
  });
  afterEach(() => expect(wrongs.splice(0), 'what the browser complains of').to.be.empty);

  async function open(options: BrowserContextOptions = {}, query = ''): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.on('pageerror', ({ message }) => wrongs.push(message));
    page.on('console', (message) => message.type() === 'error' && wrongs.push(message.text()));
    page.on('dialog', (dialog) => {
      wrongs.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(`${address}${query}`);
    if (options.javaScriptEnabled !== false) await page.locator('#live.live').waitFor();
    return page;
  }

  const rowOf = (page: Page, name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  const focused = async (page: Page) => page.locator(':focus').getAttribute('id');
  const namesOn = async (page: Page) => page.getByRole('rowheader').allTextContents();

  it('shows its first picture without JavaScript: what needs somebody first', async () => {
    const page = await open({ javaScriptEnabled: false });
    const names = await namesOn(page);
    expect(names).to.have.members(['broken', 'hostile', 'stuck', 'moving', 'copied', 'ready']);
    expect(names.slice(0, 2)).to.have.members(['broken', 'hostile']);
    expect(names.slice(2)).to.deep.equal(['stuck', ...names.slice(3, 5), 'ready']);
    const copied = await rowOf(page, 'copied').innerText();
    expect(copied)
      .to.match(/golden\/fedora/)
      .and.match(/copy by pods, then rebind into red/);
    expect(copied)
      .to.match(/45\.2 %\s+180 MiB\/s/)
      .and.match(/different CSI drivers/);
    expect(await rowOf(page, 'broken').innerText()).to.match(/ChecksumMismatch[^]*damaged on its way/);
    await page.context().close();
  });

  it('finds, filters and sorts without JavaScript', async () => {
    const page = await open({ javaScriptEnabled: false });
    await page.getByLabel('Search').fill('unschedulable');
    await page.getByRole('button', { name: 'Apply' }).click();
    expect(await namesOn(page)).to.deep.equal(['stuck']);
    await page.goto(address);
    await page.getByLabel('Namespace').fill('red');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('link', { name: 'Name', exact: true }).click();
    expect(await namesOn(page)).to.deep.equal(['broken', 'copied', 'moving', 'stuck']);
    await page.getByRole('link', { name: 'Name', exact: true }).click();
    expect(await namesOn(page)).to.deep.equal(['stuck', 'moving', 'copied', 'broken']);
    await page.getByRole('link', { name: /^Failed/ }).click();
    expect(await namesOn(page)).to.deep.equal(['broken']);
    await page.context().close();
  });

  it('shows changes as they come, and leaves focus, fold and what is being written alone', async () => {
    const page = await open();
    const fold = rowOf(page, 'stuck').locator('summary');
    await fold.focus();
    await page.keyboard.press('Enter');
    await rowOf(page, 'stuck').getByText('and this is its end').waitFor();
    await rig.createDataVolume('red', 'another', { phase: 'Pending' });
    await rowOf(page, 'another').waitFor();
    await rig.setStatus('red', 'moving', { phase: 'ImportInProgress', progress: '77.00%' });
    await rowOf(page, 'moving').getByText('77.0 %').waitFor();
    await rig.setStatus('red', 'stuck', { phase: 'ImportInProgress', progress: '1.00%' });
    await rowOf(page, 'stuck').getByText('1.0 %').waitFor();
    expect(await fold.and(page.locator(':focus')).count(), 'focus').to.equal(1);
    expect(await rowOf(page, 'stuck').locator('details[open]').count(), 'fold').to.equal(1);
    await page.getByLabel('Search').pressSequentially('mov');
    await rowOf(page, 'broken').waitFor({ state: 'detached' });
    expect(await namesOn(page)).to.deep.equal(['moving']);
    expect(page.url()).to.match(/\?q=mov$/);
    expect(await page.getByLabel('Search').inputValue()).to.equal('mov');
    await page.context().close();
  });

  it('says aloud how many need somebody, and nothing else', async () => {
    const page = await open();
    const announcement = page.getByRole('status');
    expect(await announcement.textContent()).to.equal('');
    await rig.createDataVolume('red', 'failing', { phase: 'Failed' });
    await rowOf(page, 'failing').waitFor();
    expect(await announcement.textContent()).to.match(/^3 failed, \d+ waiting$/);
    await page.context().close();
  });

  it('is used by keyboard alone', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).to.equal('Skip to the table');
    await page.keyboard.press('Enter');
    expect(await focused(page)).to.equal('table');
    for (let tabs = 0; tabs < 6; tabs += 1) {
      await page.keyboard.press('Tab');
      if ((await focused(page)) === 'sort-by-name') break;
    }
    await page.keyboard.press('Enter');
    await page.locator('th[aria-sort=ascending] #sort-by-name').waitFor();
    expect(await focused(page), 'focus').to.equal('sort-by-name');
    const names = await namesOn(page);
    expect(names).to.deep.equal(names.toSorted());
    await page.goBack();
    await page.locator('th[aria-sort] #sort-by-relevance').waitFor();
    await page.context().close();
  });

  it('shows what tenants write as text, without logins and reordered characters', async () => {
    const page = await open();
    const text = await rowOf(page, 'hostile').innerText();
    expect(text).to.contain('<img src=x onerror=alert(1)>"><script>alert(2)</script>');
    expect(text).not.to.match(/secret|\u202E/);
    expect(await page.locator('tbody img, tbody script').count()).to.equal(0);
    await page.context().close();
  });

  const looks: Readonly<Record<string, BrowserContextOptions>> = {
    'in the light': { colorScheme: 'light' },
    'in the dark': { colorScheme: 'dark' },
    'on a phone': { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  };
  for (const [look, options] of Object.entries(looks)) {
    it(`has nothing that axe complains of, ${look}`, async () => {
      const page = await open(options);
      // The rules of the page let in no script: this one comes from the browser.
      await page.evaluate(`(() => { ${axe.source} })()`);
      const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).to.be.empty;
      const back = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      expect(back).to.equal(options.colorScheme === 'dark' ? 'rgb(15, 18, 22)' : 'rgb(246, 247, 249)');
      const width = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(width, 'what is beyond the edge').to.be.at.most(0);
      await page.context().close();
    });
  }
});
