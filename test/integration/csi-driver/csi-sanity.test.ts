import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { csiParts } from '../../cluster/index.ts';
import { CsiDriver, XfsPool } from './csi-driver-process.ts';

/** What csi-sanity says when it skips a spec, and the capability that the spec is about. */
const SKIPPED_WITHOUT: Record<string, string> = {
  'ControllerGetVolumeHealth not supported': 'GET_VOLUME_HEALTH',
  'ControllerListVolumeHealth not supported': 'LIST_VOLUME_HEALTH',
  'ControllerModifyVolume not supported': 'MODIFY_VOLUME',
  'Modify Volume not supported': 'MODIFY_VOLUME',
  'Modify volume not supported': 'MODIFY_VOLUME',
  'Controller Publish, UnpublishVolume not supported': 'PUBLISH_UNPUBLISH_VOLUME',
  'ControllerPublishVolume not supported': 'PUBLISH_UNPUBLISH_VOLUME',
  'ControllerUnpublishVolume not supported': 'PUBLISH_UNPUBLISH_VOLUME',
  'GetSnapshot not supported': 'GET_SNAPSHOT',
  'GroupControllerService not supported': 'GROUP_CONTROLLER_SERVICE',
  'NodeGetStorageHealth not supported': 'GET_STORAGE_HEALTH',
  'NodeGetVolumeHealth not supported': 'GET_VOLUME_HEALTH',
  'NodeStageVolume not supported': 'STAGE_UNSTAGE_VOLUME',
  'NodeUnstageVolume not supported': 'STAGE_UNSTAGE_VOLUME',
  'SNAPSHOT_ACCESSIBILITY_CONSTRAINTS not supported': 'SNAPSHOT_ACCESSIBILITY_CONSTRAINTS',
};

interface SpecReport {
  LeafNodeType: string;
  LeafNodeText: string;
  ContainerHierarchyTexts: string[] | null;
  State: string;
  Failure?: { Message: string };
}

describe('csi-sanity against the CSI driver of the test cluster', function () {
  this.timeout('60 s');
  let pool: XfsPool;
  let driver: CsiDriver;
  let csiSanity: string;

  before(async function () {
    this.timeout('20 min'); // builds the CSI sidecars where no checkout has done so before
    if (process.getuid?.() !== 0) {
      this.skip();
    }
    const parts = await csiParts({ log: console.error });
    csiSanity = parts.csiSanity;
    pool = await XfsPool.create(2 * 1024 ** 3);
    driver = new CsiDriver(pool, 'node-1', parts.proto, ['--topology-key', 'topology.csi.diskpress.test/node']);
    await driver.start();
  });

  after(async () => {
    await driver?.close();
    await pool?.remove();
  });

  const variants: { name: string; accessType: string; parameters: Record<string, string> }[] = [
    { name: 'Filesystem volumes', accessType: 'mount', parameters: {} },
    { name: 'Filesystem volumes of an enforced size', accessType: 'mount', parameters: { enforceSize: 'true' } },
    { name: 'Filesystem volumes with a quota', accessType: 'mount', parameters: { quota: 'true' } },
    { name: 'Block volumes', accessType: 'block', parameters: {} },
    { name: 'volumes that one node reaches', accessType: 'mount', parameters: { local: 'true' } },
  ];
  for (const { name, accessType, parameters } of variants) {
    it(`passes with ${name}, and skips only what the driver does not claim`, async () => {
      const specs = await runSanity(accessType, parameters);

      expect(specs.filter(({ State }) => State === 'passed').length).to.be.greaterThan(50);
      const failed = specs.filter(({ State }) => !['passed', 'skipped', 'pending'].includes(State));
      expect(failed.map(describeSpec)).to.deep.equal([]);
      const skipped = specs.filter(({ State }) => State === 'skipped');
      const withoutCapabilities = new Set(
        skipped.map(({ Failure }) => SKIPPED_WITHOUT[Failure?.Message ?? ''] ?? `unknown: ${Failure?.Message}`),
      );
      console.log(`      ${skipped.length} skipped, as there is no ${[...withoutCapabilities].sort().join(', ')}`);
      const claimed = await claimedCapabilities();
      const wrongly = [...withoutCapabilities].filter((each) => each.startsWith('unknown') || claimed.has(each));
      expect(wrongly).to.deep.equal([]);
      expect(await pool.loopDevices()).to.deep.equal([]);
    });
  }

  async function runSanity(accessType: string, parameters: Record<string, string>): Promise<SpecReport[]> {
    const report = join(pool.directory, 'report.json');
    const parametersFile = join(pool.directory, 'parameters.yaml');
    await writeFile(parametersFile, JSON.stringify(parameters));
    const flags = {
      'csi.endpoint': `unix://${driver.socketPath}`,
      'csi.mountdir': pool.target('sanity'),
      'csi.stagingdir': pool.target('sanity-staging'),
      'csi.testvolumeaccesstype': accessType,
      'csi.testvolumeparameters': parametersFile,
      'ginkgo.json-report': report,
    };
    // It ends with 1 when a spec fails; which one is in the report.
    await promisify(execFile)(
      csiSanity,
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    ).catch(() => undefined);
    const [suite] = JSON.parse(await readFile(report, 'utf8')) as [{ SpecReports: SpecReport[] }];
    return suite.SpecReports.filter(({ LeafNodeType }) => LeafNodeType === 'It');
  }

  async function claimedCapabilities(): Promise<Set<string>> {
    const answers = [
      await driver.call('GetPluginCapabilities'),
      await driver.call('ControllerGetCapabilities'),
      await driver.call('NodeGetCapabilities'),
    ];
    const capabilities = answers.flatMap((answer) => answer.capabilities);
    return new Set(capabilities.map(({ service, rpc }) => (service ?? rpc)?.type ?? ''));
  }
});

function describeSpec({ ContainerHierarchyTexts, LeafNodeText, State, Failure }: SpecReport): string {
  return `${[...(ContainerHierarchyTexts ?? []), LeafNodeText].join(' ')}: ${State}: ${Failure?.Message ?? ''}`;
}
