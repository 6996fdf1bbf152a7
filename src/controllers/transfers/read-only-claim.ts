import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { TransferReport } from './transfer-report.ts';

/**
 * Explains the failure of a transfer that could not write its claim because of the claim's access mode. Some drivers
 * mount a claim read-only if it is ReadOnlyMany, or has that as its first mode.
 */
export function explainReadOnly(report: TransferReport, { spec }: PersistentVolumeClaim): TransferReport {
  const [mode, ...others] = spec?.accessModes ?? [];
  if (report.reason !== 'TargetNotWritable' || mode !== 'ReadOnlyMany') return report;
  const which = others.length > 0 ? "The claim's first access mode is ReadOnlyMany" : 'The claim is ReadOnlyMany';
  return {
    ...report,
    message:
      `${which}: its storage mounts it read-only, and it cannot be filled (${report.message}). Ask for ReadWriteOnce, and mount ` +
      'the claim read-only where it is used; or clone a claim that is filled, which storage that clones by itself does without mounting it',
  };
}
