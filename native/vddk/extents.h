#ifndef DISKPRESS_VDDK_EXTENTS_H
#define DISKPRESS_VDDK_EXTENTS_H

#include "library.h"

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

/*
 * Adds what is allocated of a piece of the disk, from start to end in bytes, and the holes between it. Returns -1 after
 * nbdkit has been told why.
 */
int add_extents(struct nbdkit_extents *extents, const VixBlockList *list, uint64_t start, uint64_t end);

#endif
