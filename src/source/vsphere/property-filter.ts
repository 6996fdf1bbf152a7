import type { Reference } from './reference.ts';
import { element, text } from './xml.ts';

/** Returns the parameters of RetrievePropertiesEx for a property of an object. */
export function propertyFilter({ type, id }: Reference, path: string): string {
  const properties = element('propSet', element('type', type) + element('pathSet', path));
  const objects = element('objectSet', element('obj', text(id), type));
  return element('specSet', properties + objects) + element('options', '');
}
