import { openConfined } from '../../base/confined-file.ts';
import { readCredentials, readDockerConfig } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

export const registry: OpenerOf<'registry'> = {
  async open({ url, insecureRegistry, architecture }, opening) {
    const { mounts, progress } = opening;
    const credentials = await readCredentials(mounts.credentials);
    const options = { ...(await webOptions(opening)), url, architecture, credentials };
    if (url.startsWith('oci-archive:')) {
      const { OciArchiveSource } = await import('../../source/kinds/oci-archive-source.ts');
      const openFile = (path: string) => openConfined(mounts.sourceFiles, path);
      return { source: new OciArchiveSource({ ...options, openFile }, progress) };
    }
    const dockerConfig = await readDockerConfig(mounts.credentials);
    const { RegistrySource } = await import('../../source/kinds/registry-source.ts');
    return { source: new RegistrySource({ ...options, insecureRegistry, dockerConfig }, progress) };
  },
};
