/* What the C engine says of small worlds, many of them in one process, for comparison with the
 * oracle: a line with a length, then that many bytes of manifest; the answer is one line of JSON,
 * {"matrix": ..., "verdicts": [...], "complaints": [...]}. Ends with the input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/manifest.h"
#include "front/reach_print.h"

enum { INPUT_MAX = 16 << 20, OUTPUT_MAX = 64 << 20 };

static void complain(void *ctx, const struct manifest_complaint *c)
{
    cJSON *item = cJSON_CreateObject();

    if (c->warning) {
        cJSON_Delete(item);
        return;
    }
    cJSON_AddStringToObject(item, "kind", c->kind != NULL ? c->kind : "");
    cJSON_AddStringToObject(item, "name", c->name != NULL ? c->name : "");
    cJSON_AddStringToObject(item, "field", c->field != NULL ? c->field : "");
    cJSON_AddStringToObject(item, "sentence", c->sentence);
    cJSON_AddItemToArray(ctx, item);
}

static const char *title_of(const struct workload *w, char *out, size_t size)
{
    snprintf(out, size, "%s/%s[%s]", w->ns->name->text, w->name->text, w->kind->text);
    return out;
}

static cJSON *verdicts_of(const struct cluster *c)
{
    cJSON *list = cJSON_CreateArray();
    struct reach_memo *memo = reach_memo_create(c, NULL);

    for (uint32_t n = 0; n < cluster_ns_count(c); n++) {
        const struct ns *ns = cluster_ns_at(c, n);
        for (size_t i = 0; i < ns->workloads.len; i++) {
            char title[640];
            struct reach_answer in, out;
            cJSON *item = cJSON_CreateObject();
            reach_workload(memo, ns->workloads.items[i], DIRECTION_INGRESS, &in);
            reach_workload(memo, ns->workloads.items[i], DIRECTION_EGRESS, &out);
            cJSON_AddStringToObject(item, "workload",
                                    title_of(ns->workloads.items[i], title, sizeof(title)));
            cJSON_AddStringToObject(item, "ingress", reach_name(in.reach));
            cJSON_AddStringToObject(item, "egress", reach_name(out.reach));
            cJSON_AddItemToArray(list, item);
        }
    }
    reach_memo_destroy(memo);
    return list;
}

static cJSON *matrix_of(const struct cluster *c)
{
    struct reach_memo *memo = reach_memo_create(c, NULL);
    struct reach_matrix *matrix = reach_matrix_create(c, memo, NULL);
    struct buf json;

    buf_init(&json, OUTPUT_MAX);
    if (reach_matrix_json(matrix, true, &json) != 0) {
        fprintf(stderr, "the matrix is too large\n");
        exit(1);
    }
    cJSON *tree = cJSON_Parse(buf_text(&json));
    buf_deinit(&json);
    reach_matrix_destroy(matrix);
    reach_memo_destroy(memo);
    return tree;
}

static void answer(const char *text, size_t length)
{
    char path[64];
    int fd = memfd_create("manifest", MFD_CLOEXEC);

    if (fd < 0 || write(fd, text, length) != (ssize_t)length) {
        perror("memfd");
        exit(1);
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    cJSON *reply = cJSON_CreateObject();
    cJSON *complaints = cJSON_AddArrayToObject(reply, "complaints");
    struct cluster *cluster = cluster_create();
    struct manifest_loader *loader = manifest_loader_create(cluster, complain, complaints);
    manifest_load(loader, path);
    manifest_finish(loader, true);
    cJSON_AddItemToObject(reply, "verdicts", verdicts_of(cluster));
    cJSON_AddItemToObject(reply, "matrix", matrix_of(cluster));
    char *line = cJSON_PrintUnformatted(reply);
    puts(line);
    fflush(stdout);
    free(line);
    cJSON_Delete(reply);
    cluster_destroy(cluster);
    manifest_loader_destroy(loader);
    close(fd);
}

int main(void)
{
    char line[32];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        unsigned long length = strtoul(line, NULL, 10);
        if (length == 0 || length > INPUT_MAX) {
            fprintf(stderr, "a length between 1 and %d is wanted\n", INPUT_MAX);
            return 2;
        }
        char *text = xmalloc(length);
        if (fread(text, 1, length, stdin) != length) {
            fprintf(stderr, "the input ends early\n");
            return 2;
        }
        answer(text, length);
        free(text);
    }
    return 0;
}
