/** The API group of every custom resource served here. */
export const CDI_GROUP = 'cdi.kubevirt.io';
/** The aggregated API group of UploadTokenRequest. */
export const UPLOAD_GROUP = 'upload.cdi.kubevirt.io';
/** The version that is stored, and the one to use. */
export const V1BETA1 = 'v1beta1';
/** Served for DataVolume only, with the schema of v1beta1, because published manifests still name it. */
export const V1ALPHA1 = 'v1alpha1';
/** apiVersion of every custom resource, as controllers read and write it. */
export const CDI_API_VERSION = 'cdi.kubevirt.io/v1beta1';
/** apiVersion of UploadTokenRequest. */
export const UPLOAD_API_VERSION = 'upload.cdi.kubevirt.io/v1beta1';
