/* Files for clients: CA, client certificate, kubeconfig. */
#ifndef FAKE_FILES_H
#define FAKE_FILES_H

#include "fake.h"

bool write_file(const char *path, const struct buf *b);
/* NULL with errno when it cannot be read; else the whole content, the caller's. */
bool read_file(const char *path, struct buf *out);
bool write_ca(const struct fake *f);
bool write_kubeconfig(const struct fake *f, const char *path);
bool write_client_cert(const struct fake *f, const char *cert_path, const char *key_path);

#endif
