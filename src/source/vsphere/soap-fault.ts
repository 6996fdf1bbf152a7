import { TransferError } from '../../base/errors.ts';
import { child, type Element, elementsIn, textOf, typeOf } from './xml.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';

/** The server answered a call with a fault. */
export class SoapFault extends Error {
  override readonly name = 'SoapFault';
  /** NotAuthenticated, InvalidLogin, ManagedObjectNotFound, … */
  readonly type: string;

  constructor(type: string, text: string) {
    super(text);
    this.type = type;
  }
}

/**
 * Returns the answer to a call.
 *
 * @param envelope of the response
 * @throws SoapFault
 */
export function answerIn(envelope: Element): Element {
  const body = child(envelope, 'Body', SOAP);
  const [answer] = [...elementsIn(body)];
  if (answer === undefined) throw new TransferError('ProtocolViolation', 'the answer is no SOAP message');
  if (answer.localName !== 'Fault' || answer.namespaceURI !== SOAP) return answer;
  const named = (name: string): Element | undefined => [...elementsIn(answer)].find((each) => each.localName === name);
  const [detail] = [...elementsIn(named('detail'))];
  const type = typeOf(detail) ?? detail?.localName?.replace(/Fault$/, '') ?? 'unknown fault';
  throw new SoapFault(type, named('faultstring')?.textContent || (textOf(detail, 'msg') ?? ''));
}

/** Explains a fault; what is not known to be permanent is tried again. */
export function faultFailure({ type, message }: SoapFault, call: string, host: string): TransferError {
  const said = message === '' ? type : `${type}: ${message}`;
  switch (type) {
    case 'InvalidLogin':
    case 'InvalidLocale':
      return new TransferError('Unauthorized', `${host} does not let this user log in`, {
        remedy: 'give-vsphere-credentials',
      });
    case 'NotAuthenticated':
      return new TransferError('ServerUnavailable', `${host} ends every session at once (${said})`);
    case 'NoPermission':
      return new TransferError(
        'Forbidden',
        `${host} does not let the user do ${call} (${said}): give the user that privilege`,
      );
    case 'ManagedObjectNotFound':
    case 'NotFound':
      return new TransferError(
        'NotFound',
        `${host} does not have what ${call} is for any more (${said}): was it removed?`,
      );
    case 'InvalidArgument':
    case 'InvalidRequest':
    case 'FileFault':
    case 'FileNotFound':
    case 'NotSupported':
    case 'MethodNotFound':
      return new TransferError('RequestRejected', `${host} refused ${call} (${said})`);
    default:
      return new TransferError('ServerUnavailable', `${host} failed in ${call} (${said})`);
  }
}
