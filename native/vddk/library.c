#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

/* The versions of the library that there are, the newest first. */
static const char *const names[] = {"libvixDiskLib.so.9", "libvixDiskLib.so.8", "libvixDiskLib.so.7",
                                    "libvixDiskLib.so.6", "libvixDiskLib.so"};

static void *open_library(const char *folder) {
  char reason[1024] = "";
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/lib64/%s", folder, names[index]);
    void *opened = dlopen(path, RTLD_NOW);
    if (opened != NULL) return opened;
    const char *problem = dlerror();
    /* A file that is there and cannot be loaded tells more than those that are not there. */
    if (problem != NULL && (*reason == '\0' || strstr(problem, "No such file") == NULL)) {
      snprintf(reason, sizeof reason, "%s", problem);
    }
  }
  nbdkit_error("VixDiskLib_Load: 0: %s", reason);
  return NULL;
}

int load_library(const char *folder, struct library *library) {
  void *opened = open_library(folder);
  if (opened == NULL) return -1;
  /* A function pointer is stored through a pointer to an object pointer, as POSIX has it for dlsym. */
#define FIND(name)                                                                     \
  do {                                                                                 \
    *(void **)&library->name = dlsym(opened, "VixDiskLib_" #name);                     \
    if (library->name == NULL) {                                                       \
      nbdkit_error("VixDiskLib_Load: 0: the library has no VixDiskLib_%s", #name);     \
      return -1;                                                                       \
    }                                                                                  \
  } while (0)
  FIND(InitEx);
  FIND(Exit);
  FIND(GetErrorText);
  FIND(FreeErrorText);
  FIND(AllocateConnectParams);
  FIND(FreeConnectParams);
  FIND(ConnectEx);
  FIND(Disconnect);
  FIND(Open);
  FIND(Close);
  FIND(GetTransportMode);
  FIND(GetInfo);
  FIND(FreeInfo);
  FIND(ReadAsync);
  FIND(QueryAllocatedBlocks);
  FIND(FreeBlockList);
#undef FIND
  return 0;
}

void tell_failure(const struct library *library, const char *call, VixError error) {
  char *text = library->GetErrorText(error, NULL);
  nbdkit_error("VixDiskLib_%s: %u: %s", call, VIX_ERROR_CODE(error), text == NULL ? "" : text);
  if (text != NULL) library->FreeErrorText(text);
}

void tell_line(const char *format, va_list values) {
  char line[1024];
  vsnprintf(line, sizeof line, format, values);
  line[strcspn(line, "\r\n")] = '\0';
  fprintf(stderr, "vddk: %s\n", line);
}
