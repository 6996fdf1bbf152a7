import { configMaps, secrets } from '../../kube/builtin-resources.ts';
import type { Right } from '../runtime/rights.ts';
import { imageStreams } from './image-stream.ts';

/** The rights that polls need besides those of the controllers: an installation can do without deploy/image-polls. */
export const imagePollRights: readonly Right[] = [
  { resource: secrets, verbs: ['get'] },
  { resource: configMaps, verbs: ['get'] },
  { resource: imageStreams, verbs: ['get'] },
];
