import { DOMParser, type Element } from '@xmldom/xmldom';

const VIM = 'urn:vim25';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export type { Element } from '@xmldom/xmldom';

/** Makes an element of a request; what is given as a string is content in XML already. */
export function element(name: string, content: string, type?: string): string {
  return `<${name}${type === undefined ? '' : ` type="${text(type)}"`}>${content}</${name}>`;
}

/** Makes text into content. */
export function text(value: string): string {
  return value.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character);
}

/**
 * @returns the root element
 * @throws Error where it is not XML
 */
export function parseXml(document: string): Element {
  const refuse = (_: string, message: string): never => {
    throw new Error(message);
  };
  const root = new DOMParser({ onError: refuse }).parseFromString(document, 'text/xml').documentElement;
  if (root === null) throw new Error('there is no element');
  return root;
}

/** The elements in an element that have this name, whatever their prefix; those of SOAP have another namespace. */
export function children(parent: Element | undefined, name: string, namespace = VIM): Element[] {
  return [...elementsIn(parent)].filter((each) => each.localName === name && each.namespaceURI === namespace);
}

/** The first of these; undefined where there is none. */
export function child(parent: Element | undefined, name: string, namespace = VIM): Element | undefined {
  return children(parent, name, namespace)[0];
}

/** The text of such an element. */
export function textOf(parent: Element | undefined, name: string): string | undefined {
  return child(parent, name)?.textContent ?? undefined;
}

/** All elements in an element, of whatever name. */
export function* elementsIn(parent: Element | undefined): Generator<Element> {
  for (let node = parent?.firstChild ?? null; node !== null; node = node.nextSibling) {
    if (node.nodeType === node.ELEMENT_NODE) yield node as Element;
  }
}

/** The type of an element's value, `VirtualDisk`, without its prefix. */
export function typeOf(value: Element | undefined): string | undefined {
  return value?.getAttributeNS(INSTANCE, 'type')?.replace(/^.*:/, '') || undefined;
}
