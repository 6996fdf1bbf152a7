#define _GNU_SOURCE
#include "stand-in.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8

struct work {
  struct work *next;
  int file;
  uint64_t offset;
  size_t length;
  uint8_t *buffer;
  VixCompletion *done;
  void *data;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t threads[THREADS];
static struct work *first, **last = &first;
static int in_flight, is_ending;

static VixError carry_out(const struct work *work) {
  VixError error = begin_call("Read", "%llu %zu", (unsigned long long)work->offset / 512, work->length / 512);
  for (size_t done = 0; error == VIX_OK && done < work->length;) {
    ssize_t read = pread(work->file, work->buffer + done, work->length - done, (off_t)(work->offset + done));
    if (read <= 0) error = VIX_E_FILE_ACCESS;
    else done += (size_t)read;
  }
  return error;
}

static void *run(void *nothing) {
  pthread_mutex_lock(&lock);
  for (;;) {
    while (first == NULL && !is_ending) pthread_cond_wait(&changed, &lock);
    struct work *work = first;
    if (work == NULL) break;
    first = work->next;
    if (first == NULL) last = &first;
    pthread_mutex_unlock(&lock);
    work->done(work->data, carry_out(work));
    free(work);
    pthread_mutex_lock(&lock);
    in_flight -= 1;
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&lock);
  return nothing;
}

void readers_begin(void) {
  is_ending = 0;
  for (int index = 0; index < THREADS; index++) pthread_create(&threads[index], NULL, run, NULL);
}

void readers_end(void) {
  pthread_mutex_lock(&lock);
  is_ending = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
}

void read_later(int file, uint64_t offset, size_t length, uint8_t *buffer, VixCompletion *done, void *data) {
  struct work *work = malloc(sizeof *work);
  if (work == NULL) abort();
  *work = (struct work){NULL, file, offset, length, buffer, done, data};
  pthread_mutex_lock(&lock);
  *last = work;
  last = &work->next;
  in_flight += 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

void wait_for_readers(void) {
  pthread_mutex_lock(&lock);
  while (in_flight > 0) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}
