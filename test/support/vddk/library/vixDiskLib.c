#define _GNU_SOURCE
#include "stand-in.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the real library has them. */
struct params {
  char *vmx_spec, *server_name, *thumb_print;
  long reserved;
  int credentials_type;
  char *user_name, *password;
  char more[64];
};
struct info {
  uint32_t geometries[6];
  uint64_t capacity;
};
struct list {
  uint32_t count;
  struct {
    uint64_t offset, length;
  } blocks[];
};
struct connection {
  char snapshot[256];
};
struct disk {
  int file;
  uint64_t size;
};

#define CALL(name, ...)                            \
  do {                                             \
    VixError error = begin_call(name, __VA_ARGS__); \
    if (error != VIX_OK) return error;             \
  } while (0)

static const char *text(const char *given) { return given == NULL ? "" : given; }

VixError VixDiskLib_InitEx(uint32_t major, uint32_t minor, VixLog *log, VixLog *warn, VixLog *panic, const char *folder,
                           const char *configuration) {
  (void)warn;
  (void)panic;
  control_begin(folder, log);
  say("VMware VixDiskLib (8.0.3) Release build-23950268");
  readers_begin();
  CALL("InitEx", "%u.%u config=%s", major, minor, text(configuration));
  return VIX_OK;
}

void VixDiskLib_Exit(void) {
  readers_end();
  control_end();
}

char *VixDiskLib_GetErrorText(VixError error, const char *locale) {
  (void)locale;
  const char *known = "Unknown error";
  if (error == VIX_E_FILE_NOT_FOUND) known = "A file was not found";
  if (error == VIX_E_FILE_ACCESS) known = "You do not have access rights to this file";
  if (error == VIX_E_USER_PERMISSIONS) known = "Insufficient permissions in the host operating system";
  if (error == STAND_IN_THUMBPRINT) known = "SSL certificate thumbprint does not match";
  if (error == 14008) known = "The specified server could not be contacted";
  if (error == 14009) known = "The server refused connection";
  return strdup(known);
}

void VixDiskLib_FreeErrorText(char *known) { free(known); }

struct params *VixDiskLib_AllocateConnectParams(void) { return calloc(1, sizeof(struct params)); }

void VixDiskLib_FreeConnectParams(struct params *params) {
  if (params == NULL) return;
  free(params->vmx_spec);
  free(params->server_name);
  free(params->thumb_print);
  free(params->user_name);
  free(params->password);
  free(params);
}

VixError VixDiskLib_ConnectEx(const struct params *params, char read_only, const char *snapshot, const char *transports,
                              void **made) {
  CALL("ConnectEx", "read-only=%d snapshot=%s transports=%s server=%s vm=%s", read_only, text(snapshot),
       text(transports), text(params->server_name), text(params->vmx_spec));
  if (is_unwanted("thumbprint", params->thumb_print)) return STAND_IN_THUMBPRINT;
  if (is_unwanted("user", params->user_name)) return VIX_E_USER_PERMISSIONS;
  if (is_unwanted("password", params->password)) return VIX_E_USER_PERMISSIONS;
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) return 2;
  snprintf(connection->snapshot, sizeof connection->snapshot, "%s", text(snapshot));
  *made = connection;
  return VIX_OK;
}

VixError VixDiskLib_Disconnect(void *connection) {
  free(connection);
  CALL("Disconnect", "%s", "");
  return VIX_OK;
}

VixError VixDiskLib_Open(struct connection *connection, const char *path, uint32_t flags, struct disk **made) {
  CALL("Open", "flags=%u %s", flags, path);
  char file[8192];
  const char *snapshot = connection->snapshot;
  snprintf(file, sizeof file, "%s/disks/%.3000s%s%s", library_folder, path, *snapshot == '\0' ? "" : "@", snapshot);
  struct stat state;
  int opened = open(file, O_RDONLY | O_CLOEXEC);
  if (opened == -1) return VIX_E_FILE_NOT_FOUND;
  struct disk *disk = malloc(sizeof *disk);
  if (disk == NULL || fstat(opened, &state) == -1) abort();
  *disk = (struct disk){opened, (uint64_t)state.st_size};
  say("DISKLIB-LINK  : Opened 'vpxa-nfcssl://%s@esx.test:902' (0xa): custom, %llu sectors / %llu MB.", path,
      (unsigned long long)disk->size / 512, (unsigned long long)disk->size / 1048576);
  *made = disk;
  return VIX_OK;
}

VixError VixDiskLib_Close(struct disk *disk) {
  wait_for_readers();
  close(disk->file);
  free(disk);
  CALL("Close", "%s", "");
  return VIX_OK;
}

const char *VixDiskLib_GetTransportMode(struct disk *disk) {
  (void)disk;
  return "nbdssl";
}

VixError VixDiskLib_GetInfo(struct disk *disk, struct info **made) {
  CALL("GetInfo", "%s", "");
  *made = calloc(1, sizeof **made);
  if (*made == NULL) abort();
  (*made)->capacity = disk->size / 512;
  return VIX_OK;
}

void VixDiskLib_FreeInfo(struct info *info) { free(info); }

VixError VixDiskLib_ReadAsync(struct disk *disk, uint64_t sector, uint64_t count, uint8_t *buffer, VixCompletion *done,
                              void *data) {
  read_later(disk->file, sector * 512, count * 512, buffer, done, data);
  return VIX_ASYNC;
}

VixError VixDiskLib_QueryAllocatedBlocks(struct disk *disk, uint64_t sector, uint64_t count, uint64_t chunk,
                                         struct list **made) {
  CALL("QueryAllocatedBlocks", "%llu %llu", (unsigned long long)sector, (unsigned long long)count);
  /* The real library refuses these, too. */
  if (chunk < 128 || sector % chunk != 0 || count % chunk != 0 || count / chunk > 524288) return 3;
  if ((sector + count) * 512 > disk->size) return 3;
  struct list *list = calloc(1, sizeof *list + (count / chunk / 2 + 1) * sizeof list->blocks[0]);
  if (list == NULL) abort();
  uint64_t end = (sector + count) * 512, unit = chunk * 512, at = sector * 512;
  while (at < end) {
    off_t data = lseek(disk->file, (off_t)at, SEEK_DATA);
    if (data == -1 || (uint64_t)data >= end) break;
    off_t hole = lseek(disk->file, data, SEEK_HOLE);
    uint64_t from = (uint64_t)data / unit * unit, to = ((uint64_t)hole + unit - 1) / unit * unit;
    if (from < at) from = at;
    if (to > end) to = end;
    if (list->count > 0 && list->blocks[list->count - 1].offset + list->blocks[list->count - 1].length == from / 512) {
      list->blocks[list->count - 1].length += (to - from) / 512;
    } else {
      list->blocks[list->count].offset = from / 512;
      list->blocks[list->count++].length = (to - from) / 512;
    }
    at = to;
  }
  *made = list;
  return VIX_OK;
}

VixError VixDiskLib_FreeBlockList(struct list *list) {
  free(list);
  return VIX_OK;
}
