import { asTransferError, TransferError } from '../../base/errors.ts';
import type { Patience } from '../../base/patience.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { readDocument } from '../http/read-document.ts';
import { propertyFilter } from './property-filter.ts';
import type { Reference } from './reference.ts';
import { sessionsIn } from './session-list.ts';
import { answerIn, faultFailure, SoapFault } from './soap-fault.ts';
import { child, type Element, element, parseXml, text, textOf } from './xml.ts';

/** Most bytes of an answer: the devices of a machine with many disks and snapshots have a few hundred kilobytes. */
const LONGEST_ANSWER = 32 * 1024 * 1024;
const COOKIE = 'vmware_soap_session';
const HEADERS = { 'content-type': 'text/xml; charset=utf-8', soapaction: '"urn:vim25/7.0"' };

/** The objects that everything begins at. */
export interface ServiceContent {
  readonly sessionManager: string;
  readonly searchIndex: string;
  readonly propertyCollector: string;
}

export interface SessionOptions {
  /** Address of the SDK, https://vcenter/sdk. */
  readonly url: URL;
  readonly user: string;
  readonly password: string;
  readonly client: HttpClient;
  readonly patience: Patience;
  /**
   * By what the server knows the sessions of this import and of no other one. Those that an earlier process was killed
   * with are then ended, as far as the user may do that.
   */
  readonly agent?: string | undefined;
}

/** A session of a vCenter or an ESXi host, over SOAP. It logs in with the first call, and again when it has expired. */
export class VsphereSession {
  readonly #options: SessionOptions;
  #content: ServiceContent | undefined;
  /** The cookie of the session, which is a secret. */
  #cookie: string | undefined;
  #isCleanedUp = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get host(): string {
    return this.#options.url.host;
  }

  /**
   * Calls a method.
   *
   * @param on tells the object from those that everything begins at
   * @param parameters elements
   * @returns the answer
   * @throws TransferError
   */
  async call(
    method: string,
    on: (content: ServiceContent) => Reference,
    parameters: string,
    check: (answer: Element) => void = () => undefined,
  ): Promise<Element> {
    return this.#persist(method, async () => {
      for (let isSecond = false; ; isSecond = true) {
        const content = await this.#logIn();
        try {
          const answer = await this.#send(method, on(content), parameters);
          check(answer);
          return answer;
        } catch (error) {
          if (isSecond || !(error instanceof SoapFault) || error.type !== 'NotAuthenticated') throw error;
          this.#cookie = undefined;
        }
      }
    });
  }

  /** Ends the session, as far as the server can be reached; otherwise it ends by itself. */
  async logOut(): Promise<void> {
    if (this.#cookie === undefined || this.#content === undefined) return;
    const { sessionManager } = this.#content;
    await this.#send('Logout', { type: 'SessionManager', id: sessionManager }, '').catch(() => undefined);
    this.#cookie = undefined;
  }

  async #logIn(): Promise<ServiceContent> {
    this.#content ??= serviceContent(
      await this.#send('RetrieveServiceContent', { type: 'ServiceInstance', id: 'ServiceInstance' }, ''),
    );
    if (this.#cookie === undefined) {
      const { user, password } = this.#options;
      const login = element('userName', text(user)) + element('password', text(password));
      const manager = { type: 'SessionManager', id: this.#content.sessionManager };
      const own = textOf(child(await this.#send('Login', manager, login), 'returnval'), 'key');
      // Ordinary users may neither see nor end sessions. They end by themselves, after half an hour.
      await this.#endLeftOver(this.#content, own).catch(() => undefined);
    }
    return this.#content;
  }

  async #endLeftOver(
    { sessionManager: id, propertyCollector }: ServiceContent,
    own: string | undefined,
  ): Promise<void> {
    const { agent } = this.#options;
    if (agent === undefined || own === undefined || this.#isCleanedUp) return;
    this.#isCleanedUp = true;
    const manager = { type: 'SessionManager', id };
    const collector = { type: 'PropertyCollector', id: propertyCollector };
    const answer = await this.#send('RetrievePropertiesEx', collector, propertyFilter(manager, 'sessionList'));
    for (const { key, userAgent } of sessionsIn(answer)) {
      if (userAgent === agent && key !== own) {
        await this.#send('TerminateSession', manager, element('sessionId', text(key)));
      }
    }
  }

  #persist<Result>(method: string, work: () => Promise<Result>): Promise<Result> {
    return this.#options.patience.persist(work, (error) =>
      error instanceof SoapFault ? faultFailure(error, method, this.host) : asTransferError(error),
    );
  }

  async #send(method: string, { type, id }: Reference, parameters: string): Promise<Element> {
    const { client, url, agent } = this.#options;
    const headers = { ...HEADERS, ...(agent === undefined ? {} : { 'user-agent': agent }) };
    const body =
      '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">' +
      `<e:Body><${method} xmlns="urn:vim25">${element('_this', text(id), type)}${parameters}</${method}></e:Body></e:Envelope>`;
    const confidentialHeaders: Record<string, string> = this.#cookie === undefined ? {} : { cookie: this.#cookie };
    const response = await client.request(url, { method: 'POST', headers, confidentialHeaders, body });
    // A fault has status 500.
    if (response.status !== 200 && response.status !== 500) {
      await response.body.dump();
      throw statusFailure(response.status, response.headers, response.url);
    }
    this.#cookie = cookieOf(response) ?? this.#cookie;
    const document = (await readDocument(response, { longest: LONGEST_ANSWER })).toString();
    return answerIn(this.#parse(document, response));
  }

  #parse(document: string, { status, headers, url }: HttpResponse): Element {
    try {
      return parseXml(document);
    } catch (error) {
      if (status !== 200) throw statusFailure(status, headers, url);
      const message = `${url.host} does not answer as a vCenter or an ESXi host does: check the url`;
      throw new TransferError('ProtocolViolation', message, { cause: error });
    }
  }
}

function cookieOf({ headers }: HttpResponse): string | undefined {
  const pairs = (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0] ?? '');
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`) && pair.length > COOKIE.length + 1);
}

function serviceContent(answer: Element): ServiceContent {
  const content = child(answer, 'returnval');
  const [sessionManager, searchIndex, propertyCollector] = ['sessionManager', 'searchIndex', 'propertyCollector'].map(
    (name) => textOf(content, name),
  );
  if (sessionManager === undefined || searchIndex === undefined || propertyCollector === undefined) {
    throw new TransferError('ProtocolViolation', 'the server does not tell its service content');
  }
  return { sessionManager, searchIndex, propertyCollector };
}
