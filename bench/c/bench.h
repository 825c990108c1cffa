/* What every C program of the benchmark shares: the clock, the process's own
 * cost, and the line protocol by which run.js drives it (see ../control.js). */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/* CLOCK_MONOTONIC is the clock of process.hrtime too, and the same in every
 * process, so one side's start can be subtracted from the other side's end. */
static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
         u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* VmHWM and not ru_maxrss: the latter is inherited over fork and exec, and
 * would show the memory of the Node.js process that started this one. */
static inline long peak_rss_kib(void) {
  FILE *status = fopen("/proc/self/status", "r");
  if (!status) die("/proc/self/status");
  char line[256];
  long kib = -1;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld kB", &kib) == 1) break;
  fclose(status);
  return kib;
}

/* A program blocked in a message queue sees no closed stdin: the kernel ends
 * it when run.js dies, however that happens. */
static inline void die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) die("prctl");
}

static inline void say(const char *event) {
  printf("{\"event\":\"%s\"}\n", event);
  fflush(stdout);
}

/* The next `run COUNT` line; 0 when run.js has closed the pipe. */
static inline long next_run(void) {
  long count;
  return scanf(" run %ld", &count) == 1 ? count : 0;
}

struct phase {
  int64_t start_ns, start_cpu_us;
};

static inline struct phase phase_start(void) {
  struct phase p = {now_ns(), cpu_us()};
  return p;
}

/* The part of the result that every program reports; the caller adds what is
 * its own and the closing brace. */
static inline void phase_result(const struct phase *p) {
  int64_t end = now_ns();
  printf("{\"event\":\"done\",\"startNs\":%lld,\"endNs\":%lld,\"cpuUs\":%lld,\"peakRssKiB\":%ld",
         (long long)p->start_ns, (long long)end,
         (long long)(cpu_us() - p->start_cpu_us), peak_rss_kib());
}

static inline void phase_done(const struct phase *p) {
  phase_result(p);
  printf("}\n");
  fflush(stdout);
}

#endif
