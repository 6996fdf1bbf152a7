import type { KubernetesObject, V1ConfigMap } from '@kubernetes/client-node';
import { objectIn } from '../../support/deployed.ts';

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
export const dashboardText =
  objectIn<V1ConfigMap>('monitoring/dashboard.yaml', 'ConfigMap').data?.['diskpress.json'] ?? '';
