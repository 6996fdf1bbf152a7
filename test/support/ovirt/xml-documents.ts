import { type Document, DOMImplementation, DOMParser, type Element, XMLSerializer } from '@xmldom/xmldom';

/** A document of the engine's API: the same in JSON and in XML, where identifiers and links are attributes. */
export interface EngineDocument {
  [name: string]: string | EngineDocument | EngineDocument[] | undefined;
}

const attributes = new Set(['id', 'href']);

/** @param name of the root element, such as `image_transfer` */
export function toXml(name: string, document: EngineDocument): string {
  const xml = new DOMImplementation().createDocument(null, name);
  if (xml.documentElement !== null) write(xml, xml.documentElement, document);
  return new XMLSerializer().serializeToString(xml);
}

/** @throws Error where it is not XML */
export function fromXml(text: string): EngineDocument {
  const root = new DOMParser().parseFromString(text, 'application/xml').documentElement;
  return root === null ? {} : read(root);
}

function write(xml: Document, element: Element, document: EngineDocument): void {
  for (const [name, value] of Object.entries(document)) {
    if (attributes.has(name) && typeof value === 'string') element.setAttribute(name, value);
    else for (const one of [value].flat()) if (one !== undefined) element.appendChild(child(xml, name, one));
  }
}

function child(xml: Document, name: string, value: string | EngineDocument): Element {
  const element = xml.createElement(name);
  if (typeof value === 'string') element.textContent = value;
  else write(xml, element, value);
  return element;
}

function read(element: Element): EngineDocument {
  const document: EngineDocument = {};
  for (const { name, value } of element.attributes) document[name] = value;
  for (const node of element.childNodes) {
    if (node.nodeType !== node.ELEMENT_NODE) continue;
    const inner = node as Element;
    const content = read(inner);
    document[inner.localName ?? ''] = Object.keys(content).length > 0 ? content : (inner.textContent ?? '');
  }
  return document;
}
