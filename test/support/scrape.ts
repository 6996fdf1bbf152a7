import { Agent, request } from 'undici';

/** Where the metrics of the controllers are, and by what they are read. */
export interface Scrape {
  readonly port: number | string;
  readonly token?: string;
  /** Certificates of the authority, PEM; without them, any certificate will do. */
  readonly ca?: string;
  /** The name that the certificate has to have. */
  readonly serverName?: string;
  readonly path?: string;
  readonly scheme?: 'https' | 'http';
}

/** Asks for metrics on this machine, as a rule by https. */
export async function scrape({ port, token, ca, serverName, path = '/metrics', scheme = 'https' }: Scrape): Promise<{
  readonly status: number;
  readonly text: string;
}> {
  const connect =
    ca === undefined ? { rejectUnauthorized: false } : { ca, ...(serverName && { servername: serverName }) };
  const dispatcher = new Agent({ connect });
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const { statusCode, body } = await request(`${scheme}://127.0.0.1:${port}${path}`, { dispatcher, headers });
    return { status: statusCode, text: await body.text() };
  } finally {
    await dispatcher.close();
  }
}
