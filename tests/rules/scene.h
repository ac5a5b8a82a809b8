/* A small live cluster for tests of rules: objects come as JSON, namespaced kinds in namespace
 * "shop" unless they say otherwise. */
#ifndef NETAUDITD_TESTS_SCENE_H
#define NETAUDITD_TESTS_SCENE_H

#include "base/buf.h"
#include "cluster/cluster.h"
#include "tests/check.h"

static inline struct cluster *scene_create(void)
{
    struct cluster *c = cluster_create();

    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (kind_table[k].watch == KIND_WATCH_REQUIRED ||
            kind_table[k].watch == KIND_WATCH_OPTIONAL) {
            cluster_set_kind_state(c, (enum kind)k, KIND_STATE_SYNCED, "", 1);
        } else if (kind_table[k].watch == KIND_WATCH_SERVED) {
            cluster_set_kind_state(c, (enum kind)k, KIND_STATE_ABSENT, "404", 1);
        }
    }
    return c;
}

static uint32_t scene_version = 1;

/* `meta`: further members of metadata, "" or ",\"labels\":{...}"; `body`: the rest, "" or
 * ",\"spec\":{...}". */
static inline void scene_put(struct cluster *c, enum kind kind, const char *ns, const char *name,
                             const char *meta, const char *body)
{
    struct object *obj = NULL;
    struct error err = { 0 };
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_addf(&b, "{\"metadata\":{\"name\":\"%s\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%u\"",
             name, name, ++scene_version);
    if (kind_table[kind].namespaced && ns != NULL) {
        buf_addf(&b, ",\"namespace\":\"%s\"", ns);
    }
    buf_adds(&b, meta);
    buf_adds(&b, "}");
    buf_adds(&b, body);
    buf_adds(&b, "}");
    if (object_decode(kind, b.data, b.len, &obj, &err) != 0) {
        fprintf(stderr, "%s\n%s\n", err.text, b.data);
        abort();
    }
    cluster_apply(c, obj, 1000);
    buf_deinit(&b);
}

static inline void scene_delete(struct cluster *c, enum kind kind, const char *ns, const char *name)
{
    struct object *obj = NULL;
    char json[512];

    snprintf(json, sizeof(json),
             "{\"metadata\":{\"name\":\"%s\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%u\"%s%s%s}}",
             name, name, ++scene_version, ns != NULL ? ",\"namespace\":\"" : "",
             ns != NULL ? ns : "", ns != NULL ? "\"" : "");
    if (object_decode(kind, json, strlen(json), &obj, NULL) != 0) {
        abort();
    }
    cluster_delete(c, obj, 2000);
}

#endif
