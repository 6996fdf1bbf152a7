#define _GNU_SOURCE
#include "stand-in.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char library_folder[4096];
static VixLog *logger;
static int calls = -1;
static pthread_mutex_t failing = PTHREAD_MUTEX_INITIALIZER;

static void path_of(char *path, size_t size, const char *kind, const char *call) {
  snprintf(path, size, "%.3800s/control/%s%s", library_folder, kind, call);
}

void control_begin(const char *folder, VixLog *log) {
  char path[4096];
  snprintf(library_folder, sizeof library_folder, "%s", folder);
  logger = log;
  path_of(path, sizeof path, "calls", "");
  calls = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

void control_end(void) {
  if (calls != -1) close(calls);
  calls = -1;
}

void say(const char *format, ...) {
  va_list values;
  va_start(values, format);
  if (logger != NULL) logger(format, values);
  va_end(values);
}

static long number_in(const char *kind, const char *call, long *second) {
  char path[4096], text[64] = "";
  path_of(path, sizeof path, kind, call);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file == -1) return 0;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  char *rest = text;
  long first = strtol(text, &rest, 10);
  *second = strtol(rest, NULL, 10);
  return first;
}

static VixError failure_of(const char *call) {
  pthread_mutex_lock(&failing);
  long times = 0;
  long code = number_in("fail-", call, &times);
  if (code != 0 && times > 0) {
    char path[4096];
    path_of(path, sizeof path, "fail-", call);
    if (times == 1) {
      unlink(path);
    } else {
      FILE *file = fopen(path, "we");
      if (file != NULL) {
        fprintf(file, "%ld %ld\n", code, times - 1);
        fclose(file);
      }
    }
  }
  pthread_mutex_unlock(&failing);
  return (VixError)code;
}

VixError begin_call(const char *call, const char *format, ...) {
  if (calls != -1) {
    char line[1024];
    va_list values;
    va_start(values, format);
    int length = snprintf(line, 64, "%s ", call);
    length += vsnprintf(line + length, sizeof line - 72, format, values);
    va_end(values);
    if (length > (int)sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    if (write(calls, line, (size_t)length) == -1) perror("control/calls");
  }
  long ignored = 0;
  long delay = number_in("delay-", call, &ignored);
  struct timespec time = {delay / 1000, delay % 1000 * 1000000};
  if (delay > 0) nanosleep(&time, NULL);
  return failure_of(call);
}

int is_unwanted(const char *name, const char *value) {
  char path[4200], line[1024];
  snprintf(path, sizeof path, "%s/stand-in.conf", library_folder);
  FILE *file = fopen(path, "re");
  int unwanted = 0;
  size_t length = strlen(name);
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, name, length) == 0 && line[length] == '=') {
      unwanted = value == NULL || strcmp(line + length + 1, value) != 0;
    }
  }
  if (file != NULL) fclose(file);
  return unwanted;
}
