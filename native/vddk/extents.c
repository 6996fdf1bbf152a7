#include "extents.h"

int add_extents(struct nbdkit_extents *extents, const VixBlockList *list, uint64_t start, uint64_t end) {
  const uint32_t hole = NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO;
  uint64_t position = start;
  for (uint32_t index = 0; index < list->count; index++) {
    uint64_t from = list->blocks[index].offset * SECTOR_BYTES;
    uint64_t to = from + list->blocks[index].length * SECTOR_BYTES;
    if (from < position) from = position;
    if (to > end) to = end;
    if (from >= to) continue;
    if (from > position && nbdkit_add_extent(extents, position, from - position, hole) == -1) return -1;
    if (nbdkit_add_extent(extents, from, to - from, 0) == -1) return -1;
    position = to;
  }
  return position == end ? 0 : nbdkit_add_extent(extents, position, end - position, hole);
}
