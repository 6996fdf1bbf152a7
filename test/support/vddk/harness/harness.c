/*
 * Plays nbdkit for its plugin, which is compiled into the same program, so that both run under sanitizers: nbdkit
 * itself is not compiled with them. Copies a disk as clients do, with several reads in flight.
 *
 *   harness COPY NAME=VALUE…   with the parameters of the plugin; password=VALUE is the password itself
 *
 * Exit codes: 0 the copy is complete, 1 the plugin refused or failed and said why. Sanitizers have another one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#define ASKED (32 * 1024 * 1024)
#define READ (1024 * 1024)
#define READERS 4
#define MOST_READS 4096

struct nbdkit_plugin *plugin_init(void);

struct piece {
  uint64_t offset;
  uint32_t length;
};
/* What the plugin has told of a range: how far, and what of it is data. */
struct nbdkit_extents {
  uint64_t end;
  size_t count;
  struct piece pieces[MOST_READS];
};

static struct nbdkit_plugin *plugin;
static void *handle;
static int copy;
static struct nbdkit_extents told;
static atomic_size_t next;
static atomic_bool failed;

void nbdkit_error(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
}

void nbdkit_set_error(int error) { (void)error; }

int nbdkit_read_password(const char *value, char **password) {
  *password = strdup(value);
  return *password == NULL ? -1 : 0;
}

int nbdkit_add_extent(struct nbdkit_extents *extents, uint64_t offset, uint64_t length, uint32_t type) {
  if (offset > extents->end) {
    nbdkit_error("harness: a gap before %lu", (unsigned long)offset);
    return -1;
  }
  uint64_t end = offset + length;
  for (uint64_t at = extents->end; type == 0 && at < end; at += READ) {
    if (extents->count == MOST_READS) return -1;
    extents->pieces[extents->count++] = (struct piece){at, end - at < READ ? end - at : READ};
  }
  if (end > extents->end) extents->end = end;
  return 0;
}

static void *read_pieces(void *unused) {
  (void)unused;
  for (;;) {
    size_t index = next++;
    if (index >= told.count || failed) return NULL;
    struct piece piece = told.pieces[index];
    /* Of just this size, so that a write behind it is noticed. */
    char *buffer = malloc(piece.length);
    if (buffer == NULL || plugin->pread(handle, buffer, piece.length, piece.offset, 0) == -1 ||
        pwrite(copy, buffer, piece.length, piece.offset) != piece.length) {
      failed = true;
    }
    free(buffer);
  }
}

static int copy_data(void) {
  pthread_t readers[READERS];
  next = 0;
  for (int index = 0; index < READERS; index++) {
    if (pthread_create(&readers[index], NULL, read_pieces, NULL) != 0) abort();
  }
  for (int index = 0; index < READERS; index++) pthread_join(readers[index], NULL);
  return failed ? -1 : 0;
}

static int copy_disk(void) {
  int64_t size = plugin->get_size(handle);
  if (size == -1 || ftruncate(copy, size) == -1) return -1;
  bool has_extents = plugin->can_extents(handle) == 1;
  for (uint64_t at = 0; at < (uint64_t)size; at = told.end) {
    uint32_t count = (uint64_t)size - at < ASKED ? (uint64_t)size - at : ASKED;
    told.end = at;
    told.count = 0;
    int asked = has_extents ? plugin->extents(handle, count, at, 0, &told) : nbdkit_add_extent(&told, at, count, 0);
    if (asked == -1 || told.end == at || copy_data() == -1) return -1;
  }
  return 0;
}

static int serve(void) {
  if (plugin->config_complete() == -1 || plugin->get_ready() == -1 || plugin->after_fork() == -1) return -1;
  handle = plugin->open(1);
  if (handle == NULL) return -1;
  int result = copy_disk();
  plugin->close(handle);
  return result;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  copy = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (copy == -1) return 2;
  plugin = plugin_init();
  int result = 0;
  for (int index = 2; index < count && result == 0; index++) {
    char *value = strchr(arguments[index], '=');
    if (value == NULL) return 2;
    *value = '\0';
    result = plugin->config(arguments[index], value + 1);
  }
  if (result == 0) result = serve();
  plugin->unload();
  close(copy);
  return result == 0 ? 0 : 1;
}
