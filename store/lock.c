/* The lock is an open-file-description lock on a file of its own: it ends with the process however
 * that dies, and neither a fork nor a second open in this process can drop it, as they would a
 * POSIX lock. The file stays: removing it would let two daemons lock two files of the same name. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/schema.h"

enum { HEADER_BYTES = 100, APPLICATION_ID_OFFSET = 68, OTHERS_WRITE = S_IWGRP | S_IWOTH };

static int check_directory(const char *dir, struct error *err)
{
    struct stat st;

    if (stat(dir, &st) != 0) {
        return error_errno(err, errno, "database directory '%s'", dir);
    }
    if (!S_ISDIR(st.st_mode)) {
        return error_set(err, NA_EINVAL, "'%s' is not a directory", dir);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return error_set(err, NA_EAUTH,
                         "database directory '%s' belongs to user %u, not to this one (%u) or root",
                         dir, (unsigned)st.st_uid, (unsigned)geteuid());
    }
    if ((st.st_mode & OTHERS_WRITE) != 0) {
        return error_set(
            err, NA_EAUTH,
            "database directory '%s' has mode %04o: group or others could replace files in it; use "
            "chmod go-w, or a directory of its own below it",
            dir, (unsigned)(st.st_mode & 07777));
    }
    return 0;
}

int place_resolve(const char *path, char **out, struct error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char *dir = NULL, *real = NULL;
    int rc;

    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return error_set(err, NA_EINVAL, "database path '%s' names no file", path);
    }
    dir = slash == NULL   ? xstrdup(".")
          : slash == path ? xstrdup("/")
                          : xstrndup(path, (size_t)(slash - path));
    if (mkdir(dir, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
        rc = error_errno(err, errno, "database directory '%s'", dir);
        goto done;
    }
    real = realpath(dir, NULL);
    if (real == NULL) {
        rc = error_errno(err, errno, "database directory '%s'", dir);
        goto done;
    }
    rc = check_directory(real, err);
    if (rc == 0) {
        *out = xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    }
done:
    free(real);
    free(dir);
    return rc;
}

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_zero(const unsigned char *p, size_t len)
{
    while (len > 0 && p[len - 1] == 0) {
        len--;
    }
    return len == 0;
}

/* Told from the header alone, so that a file of somebody else is not even opened by SQLite, which
 * could roll back its journal. */
static int check_header(int fd, const char *path, struct error *err)
{
    unsigned char header[HEADER_BYTES];
    ssize_t n = pread(fd, header, sizeof(header), 0);

    if (n < 0) {
        return error_errno(err, errno, "read database '%s'", path);
    }
    if (n == 0 || (n == HEADER_BYTES && is_zero(header, sizeof(header)))) {
        return 0; /* new, or power went while it was made: its journal empties it again */
    }
    if (n < HEADER_BYTES || memcmp(header, "SQLite format 3", 16) != 0) {
        return error_set(
            err, NA_EINVAL,
            "'%s' is not a netauditd database: it has no SQLite header; give another path, or move "
            "the file away",
            path);
    }
    if (big_endian(header + APPLICATION_ID_OFFSET) != STORE_APPLICATION_ID) {
        return error_set(
            err, NA_EINVAL,
            "'%s' is a database of another program (application id %u); give another path, or move "
            "the file away",
            path, (unsigned)big_endian(header + APPLICATION_ID_OFFSET));
    }
    return 0;
}

static int check_file(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return error_errno(err, errno, "database '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(err, NA_EINVAL, "database '%s' is not a regular file", path);
    }
    if (st.st_uid != geteuid()) {
        return error_set(err, NA_EAUTH, "database '%s' belongs to user %u, not to this one (%u)",
                         path, (unsigned)st.st_uid, (unsigned)geteuid());
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return error_set(err, NA_EAUTH,
                         "database '%s' has mode %04o, which lets others in; use chmod 600 '%s'",
                         path, (unsigned)(st.st_mode & 07777), path);
    }
    return check_header(fd, path, err);
}

int place_prepare(const char *path, struct error *err)
{
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, rc;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

    if (fd < 0 && errno == EEXIST) {
        fd = open(path, flags);
    }
    if (fd < 0) {
        if (errno == ELOOP) {
            return error_set(err, NA_EAUTH,
                             "database '%s' is a symbolic link; give the path it points to", path);
        }
        if (errno == EISDIR) {
            return error_set(err, NA_EINVAL, "database '%s' is a directory", path);
        }
        return error_errno(err, errno, "open database '%s'", path);
    }
    rc = check_file(fd, path, err);
    close(fd);
    return rc;
}

static int lock_busy(int fd, const char *path, struct error *err)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0) {
        return error_set(
            err, NA_EBUSY,
            "database '%s' is in use by another netauditd (process %ld); stop it, or give another "
            "path",
            path, pid);
    }
    return error_set(err, NA_EBUSY,
                     "database '%s' is in use by another netauditd; stop it, or give another path",
                     path);
}

int lock_take(const char *path, int *out_fd, struct error *err)
{
    char *lock_path = xasprintf("%s.lock", path), pid[32];
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0) {
        rc = errno == ELOOP
                 ? error_set(err, NA_EAUTH, "lock file '%s' is a symbolic link", lock_path)
                 : error_errno(err, errno, "open lock file '%s'", lock_path);
        goto done;
    }
    if (fcntl(fd, F_OFD_SETLK, &range) != 0) {
        rc = errno == EAGAIN || errno == EACCES ? lock_busy(fd, path, err)
                                                : error_errno(err, errno, "lock '%s'", lock_path);
        goto done;
    }
    /* The pid is for the sentence of the second daemon only: a full disk must not keep the first
     * from starting. */
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
        rc = 0;
    }
    *out_fd = fd;
    fd = -1;
done:
    if (fd >= 0) {
        close(fd);
    }
    free(lock_path);
    return rc;
}

void lock_release(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}
