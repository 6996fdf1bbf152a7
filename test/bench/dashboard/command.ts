import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KubeConfig } from '@kubernetes/client-node';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.ts';
import { count as countOf } from '../../support/command-line.ts';
import { SimulatedApi } from '../../support/simulated-api.ts';
import { benchCommand } from '../command-line.ts';
import { dataVolume } from './data-volumes.ts';

const REQUESTS = 20;
const CHANGES = 5;

const script = join(import.meta.dirname, '../../../src/main.ts');

/**
 * Measures how soon the page of many DataVolumes is seen in a real browser.
 *
 * @returns the exit code: 0
 */
export async function dashboard(args: string[]): Promise<number> {
  const { count } = benchCommand('dashboard', 'Opens the page of many DataVolumes in a browser.')
    .option('--count <number>', 'of DataVolumes', countOf, 10_000)
    .parse(args, { from: 'user' })
    .opts<{ count: number }>();
  const api = new SimulatedApi(Array.from({ length: count }, (_, index) => dataVolume(index)));
  const folder = await mkdtemp(join(tmpdir(), 'bench-dashboard-'));
  let browser: Browser | undefined;
  let server: ChildProcess | undefined;
  try {
    const started = performance.now();
    const command = await startCommand(folder, await api.start());
    server = command.process;
    tell(`the command, from its start to the address of a page of ${count}`, milliseconds(performance.now() - started));
    for (const query of ['', '?sort=name', '?q=unschedulable']) await tellAnswers(command.address, query);
    browser = await launchBrowser();
    const page = await browser.newPage();
    await tellPaints(page, command.address);
    await tellChanges(api, page);
    const status = await readFile(`/proc/${server.pid ?? 0}/status`, 'utf8');
    tell('memory of the command, at its largest', /VmHWM:\s+(.*)/.exec(status)?.[1] ?? '');
    return 0;
  } finally {
    await browser?.close();
    server?.kill('SIGKILL');
    api.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startCommand(folder: string, api: string): Promise<{ address: string; process: ChildProcess }> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser({ name: 'bench', server: api, skipTLSVerify: true }, { name: 'bench' });
  const path = join(folder, 'kubeconfig');
  await writeFile(path, kubeConfig.exportConfig());
  const child = spawn(process.execPath, [script, 'dashboard', '--all-namespaces'], {
    env: { ...process.env, KUBECONFIG: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { address, process: child };
}

/** How long the server takes for a whole page, and how large that is. */
async function tellAnswers(address: string, query: string): Promise<void> {
  const times: number[] = [];
  let size = 0;
  for (let request = 0; request < REQUESTS; request += 1) {
    const started = performance.now();
    size = (await (await fetch(`${address}${query}`)).arrayBuffer()).byteLength;
    times.push(performance.now() - started);
  }
  tell(`the page ${query || 'as it is'} (${Math.round(size / 1024)} KiB), ${REQUESTS} times`, summary(times));
}

async function tellPaints(page: Page, address: string): Promise<void> {
  const paints: number[] = [];
  for (let time = 0; time < CHANGES; time += 1) {
    await page.goto(address, { waitUntil: 'load' });
    // Not as a text: the page allows none to be evaluated.
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    paints.push(await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
  }
  tell(`first contentful paint, ${CHANGES} times`, summary(paints));
}

/** How long it takes from a change until it is on the page. */
async function tellChanges(api: SimulatedApi, page: Page): Promise<void> {
  await page.locator('#live.live').waitFor();
  const times: number[] = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    const started = performance.now();
    api.change(dataVolume(0, `${change}.00%`));
    await page.locator('tbody').getByText(`${change}.0 %`, { exact: true }).waitFor({ state: 'attached' });
    times.push(performance.now() - started);
  }
  tell(`from a change to its sight, ${CHANGES} times`, summary(times));
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const [first = 0, median = 0, slowest = 0] = [times[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `first ${milliseconds(first)}, median ${milliseconds(median)}, slowest ${milliseconds(slowest)}`;
}

const milliseconds = (value: number): string => `${Math.round(value)} ms`;

function tell(what: string, value: string): void {
  console.log(`${what}: ${value}`);
}
