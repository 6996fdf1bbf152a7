/** API group of every custom resource of the product. */
export const CDI_GROUP = 'cdi.kubevirt.io';
/** Aggregated API group of UploadTokenRequest. */
export const UPLOAD_GROUP = 'upload.cdi.kubevirt.io';
/** Version that is stored, and that clients should use. */
export const V1BETA1 = 'v1beta1';
/** Version that is served for DataVolume only, with the schema of v1beta1, because published manifests still use it. */
export const V1ALPHA1 = 'v1alpha1';
/** The apiVersion of every custom resource, as controllers read and write it. */
export const CDI_API_VERSION = 'cdi.kubevirt.io/v1beta1';
/** The apiVersion of UploadTokenRequest. */
export const UPLOAD_API_VERSION = 'upload.cdi.kubevirt.io/v1beta1';
