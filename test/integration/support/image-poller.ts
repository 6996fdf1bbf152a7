import type { DataVolumeSource } from '../../../src/api/source-fields.ts';
import type { ImageVersion, KnownVersion } from '../../../src/controllers/image-polls/image-poller.ts';
import { type PollSettings, SourcePoller } from '../../../src/controllers/image-polls/source-poller.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';

/** Polls from this process, as the controllers do, also servers on its own loopback address. */
export interface TestPoller {
  poll(source: DataVolumeSource, known?: KnownVersion): Promise<ImageVersion>;
  /** Returns why a poll fails, as `code: message`. */
  failureOf(source: DataVolumeSource): Promise<string>;
}

/** @param objects Secrets and ConfigMaps by name, with the text of each key */
export function createPoller(
  objects: Record<string, Record<string, string>> = {},
  settings: Partial<PollSettings> = {},
): TestPoller {
  const client = {
    async get<T extends KubeObject>({ kind }: Resource<T>, { name }: ObjectKey): Promise<T | undefined> {
      const values = objects[name];
      if (values === undefined) return undefined;
      const encoded = Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
      return { data: kind === 'Secret' ? Object.fromEntries(encoded) : values } as unknown as T;
    },
  };
  const config = {
    insecureRegistries: [],
    hasFeatureGate: () => false,
    importProxy: {},
    namespace: 'cdi',
    ...settings,
  };
  const poller = new SourcePoller({ client, config, refusedNetworks: ['link-local'] });
  const poll: TestPoller['poll'] = (source, known) => poller.poll('team', source, known, AbortSignal.timeout(20_000));
  return {
    poll,
    failureOf: (source) =>
      poll(source).then(
        ({ digest }) => `found ${digest}`,
        (error: Error & { code?: string; reason?: string }) => `${error.reason ?? error.code}: ${error.message}`,
      ),
  };
}
