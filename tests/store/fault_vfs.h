/* A file system that fails on command: SQLite's own, with errors put in front of writes and syncs.
 * Installed as the default, so that the store knows nothing of it. */
#ifndef NETAUDITD_TESTS_STORE_FAULT_VFS_H
#define NETAUDITD_TESTS_STORE_FAULT_VFS_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

enum fault {
    FAULT_NONE,
    FAULT_FULL,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_SYNC_AFTER,
    FAULT_OPEN,
    FAULT_HANG,
    FAULT_DIE
};

static atomic_int fault_now;   /* enum fault */
static atomic_int fault_after; /* so many calls still succeed */
static atomic_int fault_hits;
static sqlite3_vfs *fault_real;

struct fault_file {
    sqlite3_file base;
    sqlite3_io_methods methods;
    sqlite3_file *real;
};

static inline sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct fault_file *)(void *)f)->real;
}

static inline int fault_strikes(enum fault a, enum fault b)
{
    int now = atomic_load(&fault_now);

    if (now == FAULT_NONE || (now != (int)a && now != (int)b)) {
        return 0;
    }
    if (atomic_load(&fault_after) > 0) {
        atomic_fetch_sub(&fault_after, 1);
        return 0;
    }
    atomic_fetch_add(&fault_hits, 1);
    return 1;
}

static inline int f_close(sqlite3_file *f)
{
    sqlite3_file *real = real_of(f);
    int rc = real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;

    sqlite3_free(real);
    return rc;
}
static inline int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}
static inline int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (fault_strikes(FAULT_FULL, FAULT_FULL)) {
        return SQLITE_FULL;
    }
    if (fault_strikes(FAULT_DIE, FAULT_DIE)) {
        real_of(f)->pMethods->xWrite(real_of(f), p, n / 2, at);
        _exit(9);
    }
    if (fault_strikes(FAULT_WRITE, FAULT_WRITE)) {
        real_of(f)->pMethods->xWrite(real_of(f), p, n / 2, at); /* torn */
        return SQLITE_IOERR_WRITE;
    }
    return real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}
static inline int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), n);
}
static inline int f_sync(sqlite3_file *f, int flags)
{
    while (atomic_load(&fault_now) == FAULT_HANG) {
        atomic_fetch_add(&fault_hits, 1);
        sqlite3_sleep(2);
    }
    if (fault_strikes(FAULT_DIE, FAULT_DIE)) {
        _exit(9);
    }
    if (fault_strikes(FAULT_SYNC, FAULT_SYNC)) {
        return SQLITE_IOERR_FSYNC;
    }
    int rc = real_of(f)->pMethods->xSync(real_of(f), flags);
    /* what a caller is told to have failed may be on disk all the same */
    return fault_strikes(FAULT_SYNC_AFTER, FAULT_SYNC_AFTER) ? SQLITE_IOERR_FSYNC : rc;
}
static inline int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), n);
}
static inline int f_lock(sqlite3_file *f, int l)
{
    return real_of(f)->pMethods->xLock(real_of(f), l);
}
static inline int f_unlock(sqlite3_file *f, int l)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), l);
}
static inline int f_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static inline int f_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static inline int f_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static inline int f_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static inline int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, p);
}
static inline int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static inline void f_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static inline int f_shm_unmap(sqlite3_file *f, int del)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

static inline int f_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                         int *out_flags)
{
    struct fault_file *f = (struct fault_file *)(void *)file;
    int rc;

    (void)vfs;
    memset(f, 0, sizeof(*f));
    if (fault_strikes(FAULT_OPEN, FAULT_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    f->real = sqlite3_malloc(fault_real->szOsFile);
    memset(f->real, 0, (size_t)fault_real->szOsFile);
    rc = fault_real->xOpen(fault_real, name, f->real, flags, out_flags);
    if (rc != SQLITE_OK) {
        sqlite3_free(f->real);
        return rc;
    }
    f->methods =
        (sqlite3_io_methods){ 2,        f_close,   f_read,     f_write,       f_truncate,  f_sync,
                              f_size,   f_lock,    f_unlock,   f_reserved,    f_control,   f_sector,
                              f_traits, f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap, NULL,
                              NULL };
    f->base.pMethods = &f->methods;
    return SQLITE_OK;
}

static inline void fault_install(void)
{
    static sqlite3_vfs vfs;

    fault_real = sqlite3_vfs_find(NULL);
    vfs = *fault_real;
    vfs.pNext = NULL;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file);
    vfs.xOpen = f_open;
    sqlite3_vfs_register(&vfs, 1);
}

static inline void fault_set(enum fault fault, int after)
{
    atomic_store(&fault_after, after);
    atomic_store(&fault_hits, 0);
    atomic_store(&fault_now, (int)fault);
}

#endif
