import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { deployFolder, objectIn } from '../../support/deployed.ts';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
type PrometheusRule = KubernetesObject & { spec: { groups: { name: string; rules: Rule[] }[] } };

/** What Prometheus would be given of deploy/monitoring/rules.yaml. */
export const { spec: ruleFile } = objectIn<PrometheusRule>('monitoring/rules.yaml', 'PrometheusRule');

export const rules: readonly Rule[] = ruleFile.groups.flatMap(({ rules }) => rules);
export const alerts: readonly Rule[] = rules.filter(({ alert }) => alert !== undefined);

/** The dashboard as it is installed. */
export const dashboardText = readFileSync(join(deployFolder, 'monitoring/diskpress.json'), 'utf8');
