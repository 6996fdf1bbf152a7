import { HttpSource } from '../../source/kinds/http-source.ts';
import type { GivenSource } from './given-source.ts';

/** A file on a web server. */
export const http: GivenSource = {
  shown: 'https://…',
  matches: (given) => /^https?:\/\//.test(given),
  open: (url, settings, progress) => new HttpSource({ ...settings, url }, progress),
};
