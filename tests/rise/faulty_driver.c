/* An OpenCL driver that is PoCL's, with functions that misbehave when they are told to.

   DAYBREAK_FAULTS names a file of lines "FUNCTION WHAT AFTER": after AFTER good calls since the file
   was changed, FUNCTION does WHAT: it fails with this code (a number), or the process does (`abort`,
   `segv`, `hang`, `exit`). FUNCTION is `platforms`, `devices`, `build`, `launch`, `finish`, `buffer` or
   `log`; then a build fails, and its log is `huge` or of `bytes` that are no UTF-8. Without the file,
   all is well.

   Loaded by an OpenCL loader through an .icd file. All objects of PoCL point to one table of functions,
   whose order the Khronos registry fixes (CL/cl_icd.h). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DEVICES = 2, BUFFER = 14, BUILD = 30, LOG = 33, FINISH = 47, LAUNCH = 59, TABLE = 60 };
enum { BUILD_LOG = 0x1183, BUILD_FAILURE = -11, HUGE = 32 << 20 };

typedef int (*platforms_fn)(unsigned, void **, unsigned *);
static platforms_fn real_platforms;
static void *real[TABLE];
static const char bad_line[] = "/tmp/x/scratch.cl:3:1: error: \xff\xfe\x80 is no UTF-8\n";
static size_t log_size;

/* Return WHAT of the fault that FUNCTION `name` is to have now, or NULL. */
static const char *fault(const char *name) {
  static char seen[256], what[16];
  static int calls[16];
  char text[256] = "", function[16];
  const char *path = getenv("DAYBREAK_FAULTS");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
  }
  if (strcmp(text, seen)) {
    memset(calls, 0, sizeof calls);
    strcpy(seen, text);
  }
  int number = 0, after;
  for (char *line = strtok(text, "\n"); line && number < 16; line = strtok(NULL, "\n"), number++)
    if (sscanf(line, "%15s %15s %d", function, what, &after) == 3 && !strcmp(function, name))
      return calls[number]++ < after ? NULL : what;
  return NULL;
}

/* Return 1 and the code if FUNCTION `name` is to fail now; a worse fault does not return. */
static int faulty(const char *name, int *code) {
  const char *what = fault(name);
  if (!what) return 0;
  if (!strcmp(what, "abort")) abort();
  if (!strcmp(what, "segv")) *(volatile int *)8 = 1;
  if (!strcmp(what, "exit")) _exit(7);
  if (!strcmp(what, "hang")) for (;;) pause();
  *code = atoi(what);
  return 1;
}

static int devices(void *platform, uint64_t kind, unsigned n, void **out, unsigned *count) {
  int code;
  if (faulty("devices", &code)) return code;
  return ((int (*)(void *, uint64_t, unsigned, void **, unsigned *))real[DEVICES])(
      platform, kind, n, out, count);
}

static void *buffer(void *context, uint64_t flags, size_t size, void *host, int *status) {
  int code;
  if (faulty("buffer", &code)) {
    if (status) *status = code;
    return NULL;
  }
  return ((void *(*)(void *, uint64_t, size_t, void *, int *))real[BUFFER])(
      context, flags, size, host, status);
}

static int build(void *program, unsigned n, void **list, const char *options, void *call, void *data) {
  int code;
  if (faulty("build", &code)) return code;
  const char *log = fault("log");
  log_size = !log ? 0 : !strcmp(log, "huge") ? HUGE : sizeof bad_line;
  if (log) return BUILD_FAILURE;
  return ((int (*)(void *, unsigned, void **, const char *, void *, void *))real[BUILD])(
      program, n, list, options, call, data);
}

static int build_info(
    void *program, void *device, unsigned what, size_t room, void *out, size_t *needed) {
  if (what == BUILD_LOG && log_size) {
    if (needed) *needed = log_size;
    if (out && room >= log_size) {
      memset(out, 'x', log_size);
      memcpy(out, bad_line, sizeof bad_line - 1);
      ((char *)out)[log_size - 1] = 0;
    }
    return 0;
  }
  return ((int (*)(void *, void *, unsigned, size_t, void *, size_t *))real[LOG])(
      program, device, what, room, out, needed);
}

static int finish(void *queue) {
  int code;
  if (faulty("finish", &code)) return code;
  return ((int (*)(void *))real[FINISH])(queue);
}

static int launch(void *queue, void *kernel, unsigned dimensions, const size_t *offset,
                  const size_t *whole, const size_t *local, unsigned n, void **before, void **event) {
  int code;
  if (faulty("launch", &code)) return code;
  return ((int (*)(void *, void *, unsigned, const size_t *, const size_t *, const size_t *, unsigned,
                   void **, void **))real[LAUNCH])(
      queue, kernel, dimensions, offset, whole, local, n, before, event);
}

static int platforms(unsigned n, void **out, unsigned *count) {
  int code;
  if (faulty("platforms", &code)) return code;
  code = real_platforms(n, out, count);
  if (!code && out && !real[LAUNCH]) {
    void **table = *(void ***)out[0];
    long page = sysconf(_SC_PAGESIZE);
    char *start = (char *)((uintptr_t)table & ~(uintptr_t)(page - 1));
    mprotect(start, (char *)(table + TABLE) - start, PROT_READ | PROT_WRITE);
    memcpy(real, table, sizeof real);
    table[DEVICES] = (void *)devices;
    table[BUFFER] = (void *)buffer;
    table[BUILD] = (void *)build;
    table[LOG] = (void *)build_info;
    table[FINISH] = (void *)finish;
    table[LAUNCH] = (void *)launch;
  }
  return code;
}

void *clGetExtensionFunctionAddress(const char *name) {
  static void *library;
  if (!library) library = dlopen(POCL, RTLD_NOW | RTLD_LOCAL);
  if (!library) return NULL;
  void *(*ask)(const char *) = (void *(*)(const char *))dlsym(library, "clGetExtensionFunctionAddress");
  void *found = ask(name);
  if (strcmp(name, "clIcdGetPlatformIDsKHR")) return found;
  real_platforms = (platforms_fn)found;
  return (void *)platforms;
}
