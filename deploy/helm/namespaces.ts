import type { TemplateText } from './template-text.ts';

/** The namespace that the manifests are written for. */
export const NAMESPACE = 'cdi';

/** What is around the namespace where a text has it in its middle. */
const within = [
  /(system:serviceaccount:)cdi(:)/g,
  /(namespace == ')cdi(')/g,
  /(namespace=~?")cdi(")/g,
  /(\.)cdi(\.svc)/g,
  /(-n )cdi( )/g,
];

/** Fields whose whole value is the namespace, or a list with it. */
const fields = ['namespace', 'kubernetes.io/metadata.name', 'matchNames'];

/** Has every mention of the installation's namespace name the namespace of the release. */
export function inNamespaceOfRelease(value: unknown, template: TemplateText, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => inNamespaceOfRelease(item, template, field));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, inNamespaceOfRelease(child, template, name)]),
    );
  }
  if (typeof value !== 'string') return value;
  if (value === NAMESPACE && fields.includes(field)) return template.expression('.Release.Namespace | quote');
  const place = template.expression('.Release.Namespace');
  return within.reduce((text, pattern) => text.replaceAll(pattern, `$1${place}$2`), value);
}
