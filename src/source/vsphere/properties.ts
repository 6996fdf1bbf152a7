import { propertyFilter } from './property-filter.ts';
import type { Reference } from './reference.ts';
import type { VsphereSession } from './session.ts';
import { SoapFault } from './soap-fault.ts';
import { child, children, type Element, textOf, typeOf } from './xml.ts';

/**
 * Reads a property of an object.
 *
 * @param path `config.hardware.device`
 * @returns its value; undefined where it has none
 * @throws TransferError
 */
export async function readProperty(
  session: VsphereSession,
  { type, id }: Reference,
  path: string,
): Promise<Element | undefined> {
  const answer = await session.call(
    'RetrievePropertiesEx',
    ({ propertyCollector }) => ({ type: 'PropertyCollector', id: propertyCollector }),
    propertyFilter({ type, id }, path),
    refuseMissing,
  );
  const properties = objectsIn(answer).flatMap((object) => children(object, 'propSet'));
  return child(
    properties.find((property) => textOf(property, 'name') === path),
    'val',
  );
}

function objectsIn(answer: Element): Element[] {
  return children(child(answer, 'returnval'), 'objects');
}

/** A session that has expired shows as a property that cannot be read. */
function refuseMissing(answer: Element): void {
  for (const missing of objectsIn(answer).flatMap((object) => children(object, 'missingSet'))) {
    const fault = child(missing, 'fault');
    const type = typeOf(child(fault, 'fault')) ?? 'unknown fault';
    throw new SoapFault(type, textOf(fault, 'localizedMessage') ?? '');
  }
}
