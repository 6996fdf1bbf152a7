/*
 * A stand-in for VMware's proprietary library, for the tests: its disks are raw files, its allocation is that of the
 * files, and it fails when it is told to.
 *
 * It finds in its folder (the one with lib64):
 *   stand-in.conf      lines user=…, password=…, thumbprint=…: what it wants, where given
 *   disks/PATH         a disk, by its path as in "[datastore] folder/disk.vmdk"; of a snapshot, disks/PATH@SNAPSHOT
 *   control/calls      where this file is there, a line for each call is appended to it
 *   control/fail-CALL  "CODE [TIMES]": the call fails with this code, so many times
 *   control/delay-CALL milliseconds that the call takes
 */
#ifndef VDDK_STAND_IN_H
#define VDDK_STAND_IN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t VixError;
typedef void VixLog(const char *format, va_list values);
typedef void VixCompletion(void *data, VixError result);

enum { VIX_OK = 0, VIX_E_FILE_NOT_FOUND = 4, VIX_E_FILE_ACCESS = 13, VIX_E_USER_PERMISSIONS = 3014, VIX_ASYNC = 25000 };
/* Of this library alone: the real one's text for it names the certificate. */
enum { STAND_IN_THUMBPRINT = 20001 };

/* The folder of the library, and what it logs by. */
extern char library_folder[4096];
void control_begin(const char *folder, VixLog *log);
void control_end(void);
/* Logs as the real library does, through the callback. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Appends to control/calls, waits as long as the call is to take, and returns what it is to fail with. */
VixError begin_call(const char *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether stand-in.conf wants another value than this. */
int is_unwanted(const char *name, const char *value);

/* The threads that read while the calls that asked for it have returned. */
void readers_begin(void);
void readers_end(void);
void read_later(int file, uint64_t offset, size_t length, uint8_t *buffer, VixCompletion *done, void *data);
void wait_for_readers(void);

#endif
