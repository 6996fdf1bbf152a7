const DOMAIN = 'KUBEVIRT_IO';
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/**
 * The labels that an image's environment asks for: INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small becomes
 * instancetype.kubevirt.io/default-instancetype: u1.small. What would be no valid label is left out.
 */
export function labelsFromEnvironment(environment: string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const line of environment) {
    const [, prefix = '', name, value] = /^((?:[A-Z0-9_]+_)?)KUBEVIRT_IO_([A-Z0-9_]+)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined || !labelValue.test(value)) continue;
    const domain = `${prefix}${DOMAIN}`.toLowerCase().replaceAll('_', '.');
    labels[`${domain}/${name.toLowerCase().replaceAll('_', '-')}`] = value;
  }
  return labels;
}
