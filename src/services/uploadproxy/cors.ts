import { RECEIVED_HEADER } from '../../server/upload-protocol.ts';

export const METHODS = ['HEAD', 'POST', 'PUT', 'OPTIONS'] as const;

/**
 * Headers of every answer, by which browsers let pages of any origin upload (the Fetch Standard's CORS protocol). What
 * authorizes an upload is a token that the page has to have, and no cookie that a browser would add.
 */
export const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': RECEIVED_HEADER,
};

/** Headers of the answer to a preflight request. */
export const preflightHeaders = {
  ...corsHeaders,
  'access-control-allow-methods': METHODS.join(', '),
  // The asterisk stands for every header but Authorization.
  'access-control-allow-headers': 'authorization, *',
  'access-control-max-age': '600',
};
