/**
 * The folder that mkfs creates at the root of a volume. Not everybody can read it, and it is not part of the content.
 */
export const LOST_AND_FOUND = 'lost+found';
