/** The ClusterRole in deploy/image-polls; an installation can do without it. */
export const imagePollsRole = 'cdi-image-polls';
