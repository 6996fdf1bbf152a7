import { expect } from 'chai';
import { parseQuantity } from '../../../src/api/quantity.ts';
import {
  mutatingWebhookConfigurations,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  storageClasses,
} from '../../../src/kube/builtin-resources.ts';
import { toError } from '../../../src/kube/errors.ts';
import { CLAIM_WEBHOOK_CONFIGURATION } from '../../../src/protocol/installation.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../../support/rejection.ts';
import { Rig, TEAM } from './rig.ts';

const LABEL = { 'cdi.kubevirt.io/applyStorageProfile': 'true' };
const GIBIBYTE = 2 ** 30;

describe('claims that ask to be completed, in a real API server', function () {
  this.timeout(120_000);
  let rig: Rig;
  let count = 0;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start();
    await rig.client.create(storageClasses, { metadata: { name: 'fast' }, provisioner: 'csi.example' });
    await rig.client.create(storageClasses, {
      metadata: { name: 'virt', annotations: { 'storageclass.kubevirt.io/is-default-virt-class': 'true' } },
      provisioner: 'csi.example',
    });
    await storageProfile('fast', [
      { accessModes: ['ReadWriteMany'], volumeMode: 'Block' },
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
    ]);
    await storageProfile('virt', [{ accessModes: ['ReadWriteOncePod'], volumeMode: 'Filesystem' }]);
    await rig.startApi();
    await eventually('the webhook is trusted', async () => {
      const key = { namespace: '', name: CLAIM_WEBHOOK_CONFIGURATION };
      const found = await rig.client.get(mutatingWebhookConfigurations, key);
      return found?.webhooks?.[0]?.clientConfig.caBundle !== undefined;
    });
    await eventually('the webhook is called', async () => create({ storageClassName: 'fast', ...sized('1Gi') }));
  });
  after(async () => rig?.stop());

  async function storageProfile(name: string, claimPropertySets: object[]): Promise<void> {
    const object = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'StorageProfile', metadata: { name }, spec: {} };
    await rig.kubectl.create(JSON.stringify(object));
    const status = JSON.stringify({ status: { claimPropertySets } });
    await rig.kubectl.run('patch', 'storageprofile', name, '--subresource=status', '--type=merge', '-p', status);
  }

  const sized = (storage: string) => ({ resources: { requests: { storage } } });

  async function create(
    spec: object,
    metadata: object = { labels: LABEL },
  ): Promise<NonNullable<PersistentVolumeClaim['spec']>> {
    const name = `claim-${count++}`;
    const created = await rig.client.create(persistentVolumeClaims, {
      metadata: { namespace: TEAM, name, ...metadata },
      spec,
    });
    return created.spec ?? {};
  }

  const refusal = async (attempt: Promise<unknown>) => toError(await rejection(attempt)).message;
  const sizeOf = ({ resources }: NonNullable<PersistentVolumeClaim['spec']>) =>
    parseQuantity(resources?.requests?.['storage'] ?? '0') / GIBIBYTE;

  it('get the access modes of their volume mode, and room for the filesystem', async () => {
    const spec = await create({ storageClassName: 'fast', ...sized('1Gi') });
    expect(spec).to.deep.include({ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' });
    expect(sizeOf(spec)).to.be.within(1.05, 1.08);
  });

  it('get the volume mode of the StorageProfile where they ask for that', async () => {
    const spec = await create({ storageClassName: 'fast', volumeMode: 'FromStorageProfile', ...sized('1Gi') });
    expect(spec).to.deep.include({ accessModes: ['ReadWriteMany'], volumeMode: 'Block' });
    expect(sizeOf(spec)).to.equal(1);
  });

  it('keep what they say', async () => {
    const spec = await create({
      storageClassName: 'fast',
      volumeMode: 'Block',
      accessModes: ['ReadWriteOnce'],
      ...sized('3Gi'),
    });
    expect(spec).to.deep.include({ accessModes: ['ReadWriteOnce'], volumeMode: 'Block' });
    expect(sizeOf(spec)).to.equal(3);
  });

  it('get the default class of virtual machines where they name none', async () => {
    const spec = await create(sized('1Gi'));
    expect(spec).to.deep.include({ storageClassName: 'virt', accessModes: ['ReadWriteOncePod'] });
  });

  it('need no room beside an archive', async () => {
    const annotations = { 'cdi.kubevirt.io/storage.contentType': 'archive' };
    const spec = await create({ storageClassName: 'fast', ...sized('1Gi') }, { labels: LABEL, annotations });
    expect(sizeOf(spec)).to.equal(1);
  });

  it('get the size of what they clone', async () => {
    await rig.client.create(persistentVolumeClaims, {
      metadata: { namespace: TEAM, name: 'golden' },
      spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Block', storageClassName: 'fast', ...sized('5Gi') },
    });
    const object = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeCloneSource',
      metadata: { name: 'golden', namespace: TEAM },
      spec: { source: { kind: 'PersistentVolumeClaim', name: 'golden' } },
    };
    await rig.kubectl.create(JSON.stringify(object));
    const dataSourceRef = { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'golden' };
    const spec = await create({ storageClassName: 'fast', volumeMode: 'FromStorageProfile', dataSourceRef });
    expect(sizeOf(spec)).to.equal(5);
    expect(spec.dataSourceRef).to.deep.include(dataSourceRef);
  });

  it('are refused with a sentence where something is missing', async () => {
    await rig.client.create(storageClasses, { metadata: { name: 'unknown' }, provisioner: 'csi.example' });
    const unknown = create({ storageClassName: 'unknown', ...sized('1Gi') });
    expect(await refusal(unknown)).to.match(/spec has no accessModes.*make the claim anew/);
    expect(await refusal(create({ storageClassName: 'fast' }))).to.include('say how large the disk is');
  });

  it('stay as they are where they come from a backup, or without the label', async () => {
    const backup = await create({
      storageClassName: 'fast',
      volumeName: 'pvc-1',
      accessModes: ['ReadWriteOnce'],
      ...sized('1Gi'),
    });
    expect(sizeOf(backup)).to.equal(1);
    const without = await create({ storageClassName: 'fast', accessModes: ['ReadWriteOnce'], ...sized('1Gi') }, {});
    expect(sizeOf(without)).to.equal(1);
  });

  it('stay as they are where the administrator has turned it off', async () => {
    const config = (webhookPvcRendering: string) => ({
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'CDIConfig',
      metadata: { name: 'config' },
      spec: { webhookPvcRendering },
    });
    const plain = { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], ...sized('1Gi') };
    await rig.kubectl.apply(config('Disabled'));
    await eventually('it is off', async () => sizeOf(await create(plain)) === 1);
    await rig.kubectl.apply(config('Enabled'));
    await eventually('it is on', async () => sizeOf(await create(plain)) > 1);
  });

  it('wait for the webhook, and others do not', async () => {
    await rig.stopApi();
    const plain = { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], ...sized('1Gi') };
    expect(await refusal(create(plain))).to.include('failed calling webhook');
    await create(plain, {});
  });
});
