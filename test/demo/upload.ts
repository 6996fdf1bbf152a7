import { join } from 'node:path';
import { execPath } from 'node:process';
import type { ObjectKey } from '../../src/kube/key.ts';
import { roleCertificates } from '../../src/protocol/installation.ts';
import { run } from '../cluster/commands.ts';
import { repository } from '../cluster/folders.ts';
import { type Environment, productNamespace } from '../support/environment.ts';
import { withForwardedPort } from '../support/port-forward.ts';

/** Uploads a file of this machine into a DataVolume with `diskpress upload`, through a port that kubectl forwards. */
export async function upload({ kubeConfigPath }: Environment, target: ObjectKey, file: string): Promise<void> {
  const name = `service/${roleCertificates.uploadproxy.service}`;
  await withForwardedPort(kubeConfigPath, { namespace: productNamespace, name, port: 443 }, async (port) => {
    const options = ['--namespace', target.namespace, '--uploadproxy-url', `https://localhost:${port}`];
    await run(execPath, [join(repository, 'src/main.ts'), 'upload', file, `dv/${target.name}`, ...options], {
      env: { KUBECONFIG: kubeConfigPath },
    });
  });
}
