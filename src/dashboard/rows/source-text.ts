import type { DataVolumeSpec } from '../../api/data-volume.ts';
import { givenSource, sources } from '../../api/sources.ts';

/** Returns where the data of a DataVolume comes from, for people. */
export function sourceText({ source, sourceRef }: Pick<DataVolumeSpec, 'source' | 'sourceRef'>, own: string): string {
  if (sourceRef) return `DataSource ${objectText(sourceRef, own)}`;
  const kind = givenSource(sources, source ?? {});
  if (!source || !kind) return '';
  const given = (source[kind.name] ?? {}) as Readonly<Record<string, unknown>>;
  const { url, imageStream, name, namespace } = given;
  if (typeof url === 'string') return withoutLogin(url);
  if (typeof imageStream === 'string') return `ImageStream ${imageStream}`;
  if (typeof name !== 'string') return kind.name === 'blank' ? 'blank disk' : '';
  const what = kind.name === 'snapshot' ? 'VolumeSnapshot ' : '';
  return `${what}${objectText({ name, namespace: typeof namespace === 'string' ? namespace : undefined }, own)}`;
}

/** Returns the name of an object, with its namespace where that is another than the own. */
export function objectText(object: { name: string; namespace?: string | undefined }, own: string): string {
  const { name, namespace } = object;
  return namespace && namespace !== own ? `${namespace}/${name}` : name;
}

/** Drops what a URL should not have: others look at the screen, too. */
export function withoutLogin(url: string): string {
  return url.replace(/^([a-z0-9+.-]+:\/\/)[^/?#]*@/i, '$1').replace(/[?#].*$/s, '');
}
