import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackedPackage } from './unpacked-package.ts';

export const PROMETHEUS_PACKAGE = 'prometheus';

/** Path of a program of Prometheus, out of its Debian package, which would start a service if it were installed. */
export const prometheusProgram = (name: 'prometheus' | 'promtool'): string =>
  join(unpackedPackage(PROMETHEUS_PACKAGE), 'usr/bin', name);

/** Whether the package has been unpacked. */
export async function hasPrometheus(): Promise<boolean> {
  return access(prometheusProgram('promtool'), constants.X_OK).then(
    () => true,
    () => false,
  );
}
