// Runs a script of the tests with the dependencies that it needs and on the Node that it needs, on a machine that has
// npm and Node 20 or later: node test/launch.mjs SCRIPT.ts [ARGUMENTS]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import console from 'node:console';
import process, { arch, env, execPath, exit, kill, pid, platform, versions } from 'node:process';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR_VERSION = 24;
const top = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(top, 'node_modules', '.bin');

/** Whether npm has installed what package-lock.json says. */
function isInstalled() {
  const hidden = join(top, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const found = packagesOf(hidden);
  return Object.entries(packagesOf(join(top, 'package-lock.json'))).every(
    ([path, { version, optional }]) =>
      path === '' || found[path]?.version === version || (optional && found[path] === undefined),
  );
}

function findNode() {
  const candidates = [execPath, join(binaries, 'node')];
  const isNewEnough = (candidate) => {
    const { stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(stdout ?? '')?.[1]) >= NEEDED_MAJOR_VERSION;
  };
  return candidates.find(isNewEnough);
}

if (!isInstalled()) {
  console.error('installing the dependencies: npm ci');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: top,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) exit(status ?? 1);
}
const node = findNode();
if (node === undefined) {
  console.error(
    `This is Node ${versions.node}; Node ${NEEDED_MAJOR_VERSION} is needed, and npm has none for ${platform} ${arch}: ` +
      'get it from https://nodejs.org/download',
  );
  exit(1);
}
const [script, ...args] = process.argv.slice(2);
const child = spawn(node, [join(top, script), ...args], {
  stdio: 'inherit',
  // What the script starts by name must be of the same version.
  env: { ...env, PATH: [dirname(node), binaries, env.PATH].join(':') },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (status, signal) => (signal ? (process.removeAllListeners(signal), kill(pid, signal)) : exit(status)));
