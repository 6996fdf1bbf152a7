/*
 * A plugin of nbdkit that reads a virtual disk of VMware through the VDDK library. It is a process of its own because
 * the library brings OpenSSL, curl and libstdc++ of its own, which it finds by LD_LIBRARY_PATH.
 */
#define _POSIX_C_SOURCE 200809L

#include "extents.h"
#include "library.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

/* The version of the API that the library is asked for: all later ones have it. */
#define API_MAJOR 6
#define API_MINOR 5
/* In bytes: the most that a read through vCenter may have. */
#define LARGEST_READ (2 * 1024 * 1024)

struct parameter {
  const char *name;
  char *value;
  bool required;
};

enum { LIBDIR, CONFIG, SERVER, USER, THUMBPRINT, VM, SNAPSHOT, TRANSPORTS, COMPRESSION, DISK_FILE, PARAMETERS };
static struct parameter parameters[PARAMETERS] = {
    [LIBDIR] = {.name = "libdir", .required = true},
    [CONFIG] = {.name = "config"},
    [SERVER] = {.name = "server", .required = true},
    [USER] = {.name = "user", .required = true},
    [THUMBPRINT] = {.name = "thumbprint"},
    [VM] = {.name = "vm", .required = true},
    [SNAPSHOT] = {.name = "snapshot"},
    [TRANSPORTS] = {.name = "transports"},
    [COMPRESSION] = {.name = "compression"},
    [DISK_FILE] = {.name = "file", .required = true},
};
static char *password;
static struct library library;
static bool initialised;
/* The library connects and opens one disk after another. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

struct handle {
  VixConnectParams *params;
  VixConnection connection;
  VixDisk disk;
  /* The disk is given one call at a time; reads go on after their calls. */
  pthread_mutex_t lock;
};

struct reading {
  pthread_mutex_t lock;
  pthread_cond_t done;
  bool is_done;
  VixError result;
};

/* How a host may compress what it sends. */
static const struct {
  const char *name;
  uint32_t flag;
} compressions[] = {
    {"none", 0},
    {"zlib", OPEN_COMPRESSION_ZLIB},
    {"fastlz", OPEN_COMPRESSION_FASTLZ},
    {"skipz", OPEN_COMPRESSION_SKIPZ},
};

/* Returns -1 for one that is not known, and the flag of Open for the others. */
static int compression_flag(const char *name) {
  if (name == NULL) return 0;
  for (size_t index = 0; index < sizeof compressions / sizeof *compressions; index++) {
    if (strcmp(name, compressions[index].name) == 0) return (int)compressions[index].flag;
  }
  return -1;
}

static int configure(const char *key, const char *value) {
  if (strcmp(key, "password") == 0) {
    free(password);
    return nbdkit_read_password(value, &password);
  }
  for (size_t index = 0; index < PARAMETERS; index++) {
    struct parameter *parameter = &parameters[index];
    if (strcmp(key, parameter->name) != 0) continue;
    free(parameter->value);
    parameter->value = strdup(value);
    if (parameter->value != NULL) return 0;
    nbdkit_error("out of memory");
    return -1;
  }
  nbdkit_error("there is no parameter %s", key);
  return -1;
}

static int configured(void) {
  for (size_t index = 0; index < PARAMETERS; index++) {
    if (!parameters[index].required || parameters[index].value != NULL) continue;
    nbdkit_error("the parameter %s is missing", parameters[index].name);
    return -1;
  }
  if (compression_flag(parameters[COMPRESSION].value) == -1) {
    nbdkit_error("there is no compression %s", parameters[COMPRESSION].value);
    return -1;
  }
  if (password != NULL) return 0;
  nbdkit_error("the parameter password is missing");
  return -1;
}

static int get_ready(void) { return load_library(parameters[LIBDIR].value, &library); }

/* The library makes threads, which would be lost in a fork. */
static int after_fork(void) {
  VixError error = library.InitEx(API_MAJOR, API_MINOR, tell_line, tell_line, tell_line, parameters[LIBDIR].value,
                                  parameters[CONFIG].value);
  if (error != VIX_OK) {
    tell_failure(&library, "InitEx", error);
    return -1;
  }
  initialised = true;
  return 0;
}

static void unload(void) {
  if (initialised) library.Exit();
  for (size_t index = 0; index < PARAMETERS; index++) free(parameters[index].value);
  free(password);
}

/* Frees the parameters and nothing that they point to, which is not the library's. */
static void free_params(VixConnectParams *params) {
  params->vmx_spec = params->server_name = params->thumb_print = params->user_name = params->password = NULL;
  library.FreeConnectParams(params);
}

static VixError connect_and_open(struct handle *handle, const char **call) {
  *call = "AllocateConnectParams";
  VixConnectParams *params = handle->params = library.AllocateConnectParams();
  if (params == NULL) return VIX_E_OUT_OF_MEMORY;
  params->vmx_spec = parameters[VM].value;
  params->server_name = parameters[SERVER].value;
  params->thumb_print = parameters[THUMBPRINT].value;
  params->credentials_type = CREDENTIALS_USER;
  params->user_name = parameters[USER].value;
  params->password = password;
  *call = "ConnectEx";
  VixError error = library.ConnectEx(params, 1, parameters[SNAPSHOT].value, parameters[TRANSPORTS].value,
                                     &handle->connection);
  if (error == VIX_OK) {
    *call = "Open";
    uint32_t flags = OPEN_READ_ONLY | (uint32_t)compression_flag(parameters[COMPRESSION].value);
    error = library.Open(handle->connection, parameters[DISK_FILE].value, flags, &handle->disk);
    if (error != VIX_OK) library.Disconnect(handle->connection);
  }
  if (error != VIX_OK) free_params(params);
  return error;
}

static void *open_disk(int readonly) {
  (void)readonly;
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    nbdkit_error("out of memory");
    return NULL;
  }
  const char *call = "";
  pthread_mutex_lock(&opening);
  VixError error = connect_and_open(handle, &call);
  pthread_mutex_unlock(&opening);
  if (error != VIX_OK) {
    tell_failure(&library, call, error);
    free(handle);
    return NULL;
  }
  pthread_mutex_init(&handle->lock, NULL);
  const char *mode = library.GetTransportMode(handle->disk);
  fprintf(stderr, "vddk: transport mode: %s\n", mode == NULL ? "unknown" : mode);
  return handle;
}

static void close_disk(void *opened) {
  struct handle *handle = opened;
  pthread_mutex_lock(&opening);
  library.Close(handle->disk);
  library.Disconnect(handle->connection);
  free_params(handle->params);
  pthread_mutex_unlock(&opening);
  pthread_mutex_destroy(&handle->lock);
  free(handle);
}

static int64_t get_size(void *opened) {
  struct handle *handle = opened;
  VixInfo *info = NULL;
  pthread_mutex_lock(&handle->lock);
  VixError error = library.GetInfo(handle->disk, &info);
  int64_t size = error == VIX_OK ? (int64_t)(info->capacity * SECTOR_BYTES) : -1;
  if (error == VIX_OK) library.FreeInfo(info);
  pthread_mutex_unlock(&handle->lock);
  if (error != VIX_OK) tell_failure(&library, "GetInfo", error);
  return size;
}

static int block_size(void *opened, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum) {
  (void)opened;
  *minimum = SECTOR_BYTES;
  *preferred = CHUNK_BYTES;
  *maximum = LARGEST_READ;
  return 0;
}

static void read_done(void *data, VixError result) {
  struct reading *reading = data;
  pthread_mutex_lock(&reading->lock);
  reading->result = result;
  reading->is_done = true;
  pthread_cond_signal(&reading->done);
  pthread_mutex_unlock(&reading->lock);
}

static int read_disk(void *opened, void *buffer, uint32_t count, uint64_t offset, uint32_t flags) {
  (void)flags;
  struct handle *handle = opened;
  if (offset % SECTOR_BYTES != 0 || count % SECTOR_BYTES != 0) {
    nbdkit_error("a read of %" PRIu32 " bytes at %" PRIu64 " is not one of whole sectors", count, offset);
    nbdkit_set_error(EINVAL);
    return -1;
  }
  struct reading reading = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
  pthread_mutex_lock(&handle->lock);
  VixError error = library.ReadAsync(handle->disk, offset / SECTOR_BYTES, count / SECTOR_BYTES, buffer, read_done,
                                     &reading);
  pthread_mutex_unlock(&handle->lock);
  if (error == VIX_ASYNC) {
    pthread_mutex_lock(&reading.lock);
    while (!reading.is_done) pthread_cond_wait(&reading.done, &reading.lock);
    error = reading.result;
    pthread_mutex_unlock(&reading.lock);
  }
  pthread_cond_destroy(&reading.done);
  pthread_mutex_destroy(&reading.lock);
  if (error == VIX_OK) return 0;
  tell_failure(&library, "Read", error);
  return -1;
}

/* Asks for the first chunk, because not every way to a disk has an answer. */
static int can_extents(void *opened) {
  struct handle *handle = opened;
  VixBlockList *list = NULL;
  if (get_size(opened) < CHUNK_BYTES) return 0;
  pthread_mutex_lock(&handle->lock);
  VixError error = library.QueryAllocatedBlocks(handle->disk, 0, CHUNK_SECTORS, CHUNK_SECTORS, &list);
  if (error == VIX_OK) library.FreeBlockList(list);
  pthread_mutex_unlock(&handle->lock);
  if (error != VIX_OK) fprintf(stderr, "vddk: allocated blocks are not told: %u\n", VIX_ERROR_CODE(error));
  return error == VIX_OK;
}

static int get_extents(void *opened, uint32_t count, uint64_t offset, uint32_t flags, struct nbdkit_extents *extents) {
  (void)flags;
  struct handle *handle = opened;
  int64_t size = get_size(opened);
  if (size == -1) return -1;
  /* Whole chunks are asked for. Where the disk ends within one, that one is read. */
  uint64_t whole = (uint64_t)size / CHUNK_BYTES * CHUNK_BYTES;
  uint64_t start = offset / CHUNK_BYTES * CHUNK_BYTES;
  uint64_t end = (offset + count + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_BYTES;
  if (end > whole) end = whole;
  if (start < end) {
    uint64_t chunks = (end - start) / CHUNK_BYTES;
    if (chunks > MOST_CHUNKS) chunks = MOST_CHUNKS;
    end = start + chunks * CHUNK_BYTES;
    VixBlockList *list = NULL;
    pthread_mutex_lock(&handle->lock);
    VixError error = library.QueryAllocatedBlocks(handle->disk, start / SECTOR_BYTES, chunks * CHUNK_SECTORS,
                                                  CHUNK_SECTORS, &list);
    int added = error == VIX_OK ? add_extents(extents, list, start, end) : 0;
    if (error == VIX_OK) library.FreeBlockList(list);
    pthread_mutex_unlock(&handle->lock);
    if (error != VIX_OK) tell_failure(&library, "QueryAllocatedBlocks", error);
    if (error != VIX_OK || added == -1) return -1;
  }
  if (end < whole || whole == (uint64_t)size) return 0;
  return nbdkit_add_extent(extents, whole, (uint64_t)size - whole, 0);
}

static struct nbdkit_plugin plugin = {
    .name = "diskpress-vddk",
    .longname = "a virtual disk of VMware, through the VDDK library",
    .unload = unload,
    .config = configure,
    .config_complete = configured,
    .get_ready = get_ready,
    .after_fork = after_fork,
    .open = open_disk,
    .close = close_disk,
    .get_size = get_size,
    .block_size = block_size,
    .pread = read_disk,
    .can_extents = can_extents,
    .extents = get_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
