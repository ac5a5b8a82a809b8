#include "files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool write_file(const char *path, const struct buf *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    bool ok = fd >= 0;

    while (ok && done < b->len) {
        ssize_t n = write(fd, b->data + done, b->len - done);

        ok = n > 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        ok = close(fd) == 0 && ok;
    }
    return ok;
}

bool read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    if (fd < 0) {
        return false;
    }
    while (n > 0) {
        n = read(fd, buf_reserve(out, 65536), 65536);
        out->len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return n == 0;
}

bool write_ca(const struct fake *f)
{
    struct buf b = { 0 };
    bool ok;

    tls_ca_pem(&f->ca, &b);
    ok = write_file(f->ca_file, &b);
    buf_free(&b);
    return ok;
}

bool write_client_cert(const struct fake *f, const char *cert_path, const char *key_path)
{
    struct buf cert = { 0 };
    struct buf key = { 0 };
    bool ok = tls_client_pem(&f->ca, "test-user", &cert, &key) && write_file(cert_path, &cert) &&
              write_file(key_path, &key);

    buf_free(&cert);
    buf_free(&key);
    return ok;
}

static void base64(struct buf *out, const struct buf *in)
{
    size_t room = (in->len + 2) / 3 * 4 + 1;
    int n = EVP_EncodeBlock((unsigned char *)buf_reserve(out, room),
                            (const unsigned char *)in->data, (int)in->len);

    out->len += (size_t)n;
}

bool write_kubeconfig(const struct fake *f, const char *path)
{
    struct buf b = { 0 };
    struct buf pem = { 0 };
    bool ok;

    buf_fmt(
        &b,
        "apiVersion: v1\nkind: Config\ncurrent-context: fake\ncontexts:\n- name: fake\n  context:\n"
        "    cluster: fake\n    user: fake\nclusters:\n- name: fake\n  cluster:\n"
        "    server: %s://%s:%d\n",
        f->use_tls ? "https" : "http", f->api.host, f->api.port);
    if (f->use_tls) {
        tls_ca_pem(&f->ca, &pem);
        buf_str(&b, "    certificate-authority-data: ");
        base64(&b, &pem);
        buf_str(&b, "\n");
    }
    if (f->token_count > 0) {
        buf_fmt(&b, "users:\n- name: fake\n  user:\n    token: \"%s\"\n", f->tokens[0].secret);
    } else {
        buf_str(&b, "users:\n- name: fake\n  user: {}\n");
    }
    ok = write_file(path, &b);
    buf_free(&b);
    buf_free(&pem);
    return ok;
}
