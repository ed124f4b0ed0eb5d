/*
 * Stands between a program and the C library (LD_PRELOAD) and makes chosen calls on files below one folder fail or
 * wait, as a broken, full, read-only or slow disk would. Calls are counted for the whole process, so that "the n-th"
 * means the same whatever thread makes it, and the counting begins whenever the proof says so.
 *
 * The file named by FAULT_CONTROL is shared with the proof: words of 64 bits, then the folder as text (`mod.rs`).
 * Each call that is counted is a line in the file named by FAULT_LOG: number, kind, E if it was made to fail, path.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN, CREATE, READ, WRITE, SYNC, RENAME, UNLINK, MKDIR, TRUNCATE, STAT, LIST, LOCK, CLOSE, KINDS };
static const char *const names[KINDS] = {"open", "create", "read", "write", "sync", "rename", "unlink",
                                         "mkdir", "truncate", "stat", "list", "lock", "close"};

struct control {
  _Atomic uint64_t kinds;   /* bits of the kinds that count; 0: nothing happens */
  _Atomic uint64_t from;    /* number of the first call that fails, from 1; 0: none */
  _Atomic uint64_t to;      /* number of the last one */
  _Atomic uint64_t error;   /* errno of those */
  _Atomic uint64_t delay;   /* microseconds that each counted call waits first */
  _Atomic uint64_t count;   /* calls so far */
  _Atomic uint64_t failed;  /* calls that were made to fail so far */
  _Atomic uint64_t waiting; /* calls that wait at the moment */
  char folder[PATH_MAX];
};

static struct control *control;
static int log_file = -1;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_CONTROL"), *log = getenv("FAULT_LOG");
  if (!path) return;
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (shared == MAP_FAILED) return;
  if (log) log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  control = shared;
}

static int below(const char *path) {
  size_t length = strlen(control->folder);
  return length && !strncmp(path, control->folder, length) && (path[length] == '/' || !path[length]);
}

/* The path that a descriptor, or a name relative to one, stands for. */
static void resolve(char *path, int at, const char *name) {
  path[0] = 0;
  if (name && name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return;
  }
  char link[64];
  if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
  else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 2);
  path[length < 0 ? 0 : length] = 0;
  if (length > 0 && name && name[0]) snprintf(path + length, PATH_MAX - (size_t)length, "/%s", name);
}

/* Counts a call; 1 if it shall fail, with errno set. */
static int fails(enum kind kind, int at, const char *name) {
  if (!control) return 0;
  uint64_t kinds = atomic_load(&control->kinds);
  if (!(kinds >> kind & 1)) return 0;
  int before = errno;
  char path[PATH_MAX];
  resolve(path, at, name);
  if (!below(path)) {
    errno = before;
    return 0;
  }
  uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
  uint64_t from = atomic_load(&control->from);
  int fail = from && number >= from && number <= atomic_load(&control->to);
  if (fail) atomic_fetch_add(&control->failed, 1);
  if (log_file >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%llu %s %c %s\n", (unsigned long long)number, names[kind],
                          fail ? 'E' : '-', path);
    syscall(SYS_write, log_file, line, (size_t)length);
  }
  uint64_t delay = atomic_load(&control->delay);
  if (delay) {
    atomic_fetch_add(&control->waiting, 1);
    /* In steps, so that a delay can be taken back. */
    for (uint64_t waited = 0; waited < delay && atomic_load(&control->delay); waited += 5000) {
      struct timespec step = {0, 5000000};
      nanosleep(&step, NULL);
    }
    atomic_fetch_sub(&control->waiting, 1);
  }
  errno = fail ? (int)atomic_load(&control->error) : before;
  return fail;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* TYPE NAME(PARAMETERS) that fails with ERROR when a call of KIND on AT, PATH is chosen, and else calls the real one. */
#define WRAP(type, name, parameters, arguments, kind, at, path, error) \
  type name parameters { \
    REAL(name); \
    if (fails(kind, at, path)) return error; \
    return real arguments; \
  }

static enum kind opening(int flags) {
  return flags & (O_CREAT | O_TRUNC) || (flags & O_ACCMODE) != O_RDONLY ? CREATE : OPEN;
}

#define WRAP_OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    if (fails(opening(flags), AT_FDCWD, path)) return -1; \
    return real(path, flags, mode); \
  }
#define WRAP_OPENAT(name) \
  int name(int at, const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    if (fails(opening(flags), at, path)) return -1; \
    return real(at, path, flags, mode); \
  }
#define WRAP_FCNTL(name) \
  int name(int file, int command, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, command); \
    void *argument = va_arg(rest, void *); \
    va_end(rest); \
    /* To unlock never fails: no local file system refuses it. */ \
    int locks = (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW) && \
                argument && ((struct flock *)argument)->l_type != F_UNLCK; \
    if (locks && fails(LOCK, file, NULL)) return -1; \
    return real(file, command, argument); \
  }

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

WRAP(ssize_t, read, (int f, void *b, size_t n), (f, b, n), READ, f, NULL, -1)
WRAP(ssize_t, readv, (int f, const struct iovec *v, int n), (f, v, n), READ, f, NULL, -1)
WRAP(ssize_t, pread, (int f, void *b, size_t n, off_t o), (f, b, n, o), READ, f, NULL, -1)
WRAP(ssize_t, pread64, (int f, void *b, size_t n, off64_t o), (f, b, n, o), READ, f, NULL, -1)
WRAP(ssize_t, write, (int f, const void *b, size_t n), (f, b, n), WRITE, f, NULL, -1)
WRAP(ssize_t, writev, (int f, const struct iovec *v, int n), (f, v, n), WRITE, f, NULL, -1)
WRAP(ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), (f, b, n, o), WRITE, f, NULL, -1)
WRAP(ssize_t, pwrite64, (int f, const void *b, size_t n, off64_t o), (f, b, n, o), WRITE, f, NULL, -1)
WRAP(ssize_t, copy_file_range, (int i, off64_t *io, int o, off64_t *oo, size_t n, unsigned g), (i, io, o, oo, n, g), WRITE, o, NULL, -1)
WRAP(int, fallocate, (int f, int m, off_t o, off_t n), (f, m, o, n), WRITE, f, NULL, -1)
WRAP(int, fallocate64, (int f, int m, off64_t o, off64_t n), (f, m, o, n), WRITE, f, NULL, -1)
WRAP(int, posix_fallocate, (int f, off_t o, off_t n), (f, o, n), WRITE, f, NULL, errno)
WRAP(int, posix_fallocate64, (int f, off64_t o, off64_t n), (f, o, n), WRITE, f, NULL, errno)
WRAP(int, fsync, (int f), (f), SYNC, f, NULL, -1)
WRAP(int, fdatasync, (int f), (f), SYNC, f, NULL, -1)
WRAP(int, syncfs, (int f), (f), SYNC, f, NULL, -1)
WRAP(int, rename, (const char *p, const char *q), (p, q), RENAME, AT_FDCWD, q, -1)
WRAP(int, renameat, (int d, const char *p, int e, const char *q), (d, p, e, q), RENAME, e, q, -1)
WRAP(int, renameat2, (int d, const char *p, int e, const char *q, unsigned g), (d, p, e, q, g), RENAME, e, q, -1)
WRAP(int, link, (const char *p, const char *q), (p, q), RENAME, AT_FDCWD, q, -1)
WRAP(int, linkat, (int d, const char *p, int e, const char *q, int g), (d, p, e, q, g), RENAME, e, q, -1)
WRAP(int, unlink, (const char *p), (p), UNLINK, AT_FDCWD, p, -1)
WRAP(int, rmdir, (const char *p), (p), UNLINK, AT_FDCWD, p, -1)
WRAP(int, unlinkat, (int d, const char *p, int g), (d, p, g), UNLINK, d, p, -1)
WRAP(int, mkdir, (const char *p, mode_t m), (p, m), MKDIR, AT_FDCWD, p, -1)
WRAP(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m), MKDIR, d, p, -1)
WRAP(int, ftruncate, (int f, off_t n), (f, n), TRUNCATE, f, NULL, -1)
WRAP(int, ftruncate64, (int f, off64_t n), (f, n), TRUNCATE, f, NULL, -1)
WRAP(int, statx, (int d, const char *restrict p, int g, unsigned m, struct statx *restrict s), (d, p, g, m, s), STAT, d, p, -1)
WRAP(int, stat, (const char *restrict p, struct stat *restrict s), (p, s), STAT, AT_FDCWD, p, -1)
WRAP(int, stat64, (const char *restrict p, struct stat64 *restrict s), (p, s), STAT, AT_FDCWD, p, -1)
WRAP(int, lstat, (const char *restrict p, struct stat *restrict s), (p, s), STAT, AT_FDCWD, p, -1)
WRAP(int, lstat64, (const char *restrict p, struct stat64 *restrict s), (p, s), STAT, AT_FDCWD, p, -1)
WRAP(int, fstat, (int f, struct stat *s), (f, s), STAT, f, NULL, -1)
WRAP(int, fstat64, (int f, struct stat64 *s), (f, s), STAT, f, NULL, -1)
WRAP(int, fstatat, (int d, const char *restrict p, struct stat *restrict s, int g), (d, p, s, g), STAT, d, p, -1)
WRAP(int, fstatat64, (int d, const char *restrict p, struct stat64 *restrict s, int g), (d, p, s, g), STAT, d, p, -1)
WRAP(int, access, (const char *p, int m), (p, m), STAT, AT_FDCWD, p, -1)
WRAP(DIR *, opendir, (const char *p), (p), LIST, AT_FDCWD, p, NULL)
WRAP(DIR *, fdopendir, (int f), (f), LIST, f, NULL, NULL)
WRAP(struct dirent *, readdir, (DIR *d), (d), LIST, dirfd(d), NULL, NULL)
WRAP(struct dirent64 *, readdir64, (DIR *d), (d), LIST, dirfd(d), NULL, NULL)
WRAP(int, flock, (int f, int o), (f, o), LOCK, f, NULL, -1)

/* A failed close has closed all the same. */
int close(int file) {
  REAL(close);
  if (!fails(CLOSE, file, NULL)) return real(file);
  int error = errno;
  real(file);
  errno = error;
  return -1;
}
