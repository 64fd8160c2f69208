/* Appended to every emitted kernel: runs and times it without the cost of a foreign call.
   The kernel is called through a volatile pointer, so that the compiler can neither inline it
   here nor drop a repetition. */
#include <time.h>

typedef int (*daybreak_kernel)(void **);
static int daybreak_call(void **tensors) { return DAYBREAK_CALL; }
static volatile daybreak_kernel daybreak_entry = daybreak_call;

void daybreak_configure(int threads, int dynamic, int chunk) {
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  omp_set_schedule(dynamic ? omp_sched_dynamic : omp_sched_static, chunk);
}

/* Threads that a parallel region really gets. */
int daybreak_threads(void) {
  int threads = 0;
#pragma omp parallel
  {
#pragma omp single
    threads = omp_get_num_threads();
  }
  return threads;
}

/* Seconds for `repeats` calls by the monotonic clock, or -1 if the kernel reports an error. */
double daybreak_run(void **tensors, int repeats) {
  struct timespec begin, end;
  int failed = 0;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int r = 0; r < repeats; r++) failed |= daybreak_entry(tensors);
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (failed) return -1.0;
  return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

/* Evict an array from every cache; returns 0 where this processor has no such instruction. */
int daybreak_evict(const char *start, long size) {
#if defined(__x86_64__)
  for (long at = 0; at < size; at += 64) __builtin_ia32_clflush(start + at);
  __builtin_ia32_mfence();
  return 1;
#elif defined(__aarch64__) && defined(__linux__)
  for (long at = 0; at < size; at += 64) __asm__ volatile("dc civac, %0" ::"r"(start + at) : "memory");
  __asm__ volatile("dsb ish" ::: "memory");
  return 1;
#else
  (void)start;
  (void)size;
  return 0;
#endif
}
