/** Made by mkfs at the root of a volume, and not readable by everybody: no part of what a volume holds. */
export const LOST_AND_FOUND = 'lost+found';
