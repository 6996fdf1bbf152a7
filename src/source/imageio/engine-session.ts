import { TransferError } from '../../base/errors.ts';
import type { Login } from '../../base/login.ts';
import type { HttpClient } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { describeUrl } from '../http/location.ts';
import { readJson } from '../http/read-document.ts';
import type { Confidential } from './confidential.ts';
import { tokenAnswer } from './documents.ts';
import type { EngineLocation } from './engine-location.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

/**
 * @param login its user with the profile: `admin@internal`
 * @throws TransferError InvalidRequest where the engine could not accept such a login
 */
export function requireLogin(login: Login | undefined): Login {
  if (login === undefined || login.password === '') {
    throw new TransferError('InvalidRequest', 'an oVirt engine needs a user and a password', {
      remedy: 'give-ovirt-credentials',
    });
  }
  if (!login.user.includes('@')) {
    throw new TransferError(
      'InvalidRequest',
      'the user for the oVirt engine has no profile: it should be like admin@internal, with the profile after the @',
    );
  }
  return login;
}

/**
 * Logs in.
 *
 * @returns the token of the session
 * @throws TransferError Unauthorized, and the failures of the connection
 */
export async function logIn(
  http: HttpClient,
  location: EngineLocation,
  { user, password }: Login,
  confidential: Confidential,
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'password',
    scope: 'ovirt-app-api',
    username: user,
    password,
  }).toString();
  const response = await http.request(location.logIn, { method: 'POST', headers: form, body });
  const { status, headers, url } = response;
  if (status === 400 || status === 401) {
    await response.body.dump();
    throw new TransferError('Unauthorized', `the oVirt engine ${location.host} refuses the user or the password`, {
      remedy: 'give-ovirt-credentials',
    });
  }
  if (status !== 200) {
    await response.body.dump();
    throw statusFailure(status, headers, url);
  }
  const { data } = tokenAnswer.safeParse(await readJson(response));
  if (data === undefined) {
    throw new TransferError('ProtocolViolation', `${describeUrl(url)} answered a login without a token`);
  }
  confidential.add(data.access_token);
  return data.access_token;
}

/** Ends a session; one that has ended already is no failure. */
export async function logOut(http: HttpClient, location: EngineLocation, token: string): Promise<void> {
  const body = new URLSearchParams({ scope: '', token }).toString();
  const response = await http.request(location.logOut, { method: 'POST', headers: form, body });
  await response.body.dump();
}
