#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

enum { PIECE_BYTES = 64 * 1024 };

int file_read_fd(int fd, const char *name, size_t max_bytes, char **out, size_t *len,
                 struct error *err)
{
    char *piece = malloc(PIECE_BYTES);
    struct buf b;
    int rc = 0;

    if (piece == NULL) {
        return error_set(err, NA_ENOMEM, "read '%s': out of memory", name);
    }
    buf_init(&b, max_bytes);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            rc = error_errno(err, errno, "read '%s'", name);
            break;
        }
        if (n == 0) {
            break;
        }
        rc = buf_add(&b, piece, (size_t)n);
        if (rc != 0) {
            error_set(err, rc, "read '%s': %s", name,
                      rc == NA_ELIMIT ? "larger than is accepted" : "out of memory");
            break;
        }
    }
    free(piece);
    if (rc == 0) {
        *len = b.len;
        *out = buf_take(&b);
    }
    buf_deinit(&b);
    return rc;
}

int file_read(const char *path, size_t max_bytes, char **out, size_t *len, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return error_errno(err, errno, "open '%s'", path);
    }
    int rc = file_read_fd(fd, path, max_bytes, out, len, err);
    close(fd);
    return rc;
}
