/*
 * The part of VMware's Virtual Disk Development Kit (VDDK) that reads a disk, after its documented API: the library is
 * proprietary, is brought by the user, and is looked for while the program runs.
 */
#ifndef DISKPRESS_VDDK_LIBRARY_H
#define DISKPRESS_VDDK_LIBRARY_H

#include <stdarg.h>
#include <stdint.h>

/* Zero is success. The low 16 bits are the code of a failure, and the others are details of it. */
typedef uint64_t VixError;
#define VIX_ERROR_CODE(error) ((unsigned)((error) & 0xffff))
#define VIX_OK 0
#define VIX_E_OUT_OF_MEMORY 2
/* What a call answers that has only begun, and calls back at its end. */
#define VIX_ASYNC 25000

#define SECTOR_BYTES 512
/* The unit of QueryAllocatedBlocks, and how many of them a call may ask for. */
#define CHUNK_SECTORS 128
#define CHUNK_BYTES (CHUNK_SECTORS * SECTOR_BYTES)
#define MOST_CHUNKS (512 * 1024)

#define OPEN_READ_ONLY 4
#define OPEN_COMPRESSION_ZLIB 16
#define OPEN_COMPRESSION_FASTLZ 32
#define OPEN_COMPRESSION_SKIPZ 64
#define CREDENTIALS_USER 1

typedef void *VixConnection;
typedef void *VixDisk;
typedef void VixLog(const char *format, va_list values);
typedef void VixCompletion(void *data, VixError result);

/* Made by AllocateConnectParams, because later versions of the library append to it. */
typedef struct {
  char *vmx_spec;
  char *server_name;
  char *thumb_print;
  long reserved;
  int credentials_type;
  char *user_name;
  char *password;
} VixConnectParams;

typedef struct {
  uint32_t geometries[6];
  /* In sectors. */
  uint64_t capacity;
} VixInfo;

/* In sectors. */
typedef struct {
  uint64_t offset;
  uint64_t length;
} VixBlock;

typedef struct {
  uint32_t count;
  VixBlock blocks[];
} VixBlockList;

/* The functions of the library, by their names without VixDiskLib_. */
struct library {
  VixError (*InitEx)(uint32_t major, uint32_t minor, VixLog *log, VixLog *warn, VixLog *panic, const char *folder,
                     const char *configuration);
  void (*Exit)(void);
  char *(*GetErrorText)(VixError error, const char *locale);
  void (*FreeErrorText)(char *text);
  VixConnectParams *(*AllocateConnectParams)(void);
  void (*FreeConnectParams)(VixConnectParams *params);
  VixError (*ConnectEx)(const VixConnectParams *params, char read_only, const char *snapshot, const char *transports,
                        VixConnection *connection);
  VixError (*Disconnect)(VixConnection connection);
  VixError (*Open)(VixConnection connection, const char *path, uint32_t flags, VixDisk *disk);
  VixError (*Close)(VixDisk disk);
  const char *(*GetTransportMode)(VixDisk disk);
  VixError (*GetInfo)(VixDisk disk, VixInfo **info);
  void (*FreeInfo)(VixInfo *info);
  VixError (*ReadAsync)(VixDisk disk, uint64_t sector, uint64_t count, uint8_t *buffer, VixCompletion *done, void *data);
  VixError (*QueryAllocatedBlocks)(VixDisk disk, uint64_t sector, uint64_t count, uint64_t chunk, VixBlockList **list);
  VixError (*FreeBlockList)(VixBlockList *list);
};

/*
 * Loads the library from FOLDER/lib64. Returns -1 where there is none that has all functions, after having told nbdkit
 * why.
 */
int load_library(const char *folder, struct library *library);

/* Tells nbdkit of a failed call, by its name, the code, and the text that the library has for it. */
void tell_failure(const struct library *library, const char *call, VixError error);

/* Told by the library what it does: each becomes a line of standard error, `vddk: …`. */
void tell_line(const char *format, va_list values);

#endif
