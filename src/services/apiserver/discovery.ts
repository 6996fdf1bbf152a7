import { UPLOAD_API_VERSION, UPLOAD_GROUP, V1BETA1 } from '../../api/group.ts';
import { UPLOAD_TOKEN_REQUESTS } from './upload-tokens.ts';

const version = { groupVersion: UPLOAD_API_VERSION, version: V1BETA1 };

const group = { name: UPLOAD_GROUP, versions: [version], preferredVersion: version };

/** What the API server and its clients ask to find out what is served, by path. */
export const discovery: Readonly<Record<string, object>> = {
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] },
  [`/apis/${UPLOAD_GROUP}`]: { kind: 'APIGroup', apiVersion: 'v1', ...group },
  [`/apis/${UPLOAD_API_VERSION}`]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: UPLOAD_API_VERSION,
    resources: [
      {
        name: UPLOAD_TOKEN_REQUESTS,
        singularName: 'uploadtokenrequest',
        namespaced: true,
        kind: 'UploadTokenRequest',
        verbs: ['create'],
        shortNames: ['utr', 'utrs'],
      },
    ],
  },
};
