#include "cli/baseline.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/file.h"

enum { BASELINE_MAX_BYTES = 256 * 1024 * 1024 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An output of --all holds what passed as well; that it fails now is new. */
static bool was_wrong(const cJSON *item)
{
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(item, "result");

    return !cJSON_IsString(result) ||
           (strcmp(result->valuestring, "pass") != 0 && strcmp(result->valuestring, "skip") != 0);
}

/* The fingerprints of what was wrong, into `out`; how many. */
static int collect(const cJSON *root, const char *path, const char **out, size_t *count,
                   struct error *err)
{
    const cJSON *item;
    size_t i = 0;

    cJSON_ArrayForEach(item, root)
    {
        const cJSON *fingerprint = cJSON_GetObjectItemCaseSensitive(item, "fingerprint");
        if (!cJSON_IsString(fingerprint)) {
            return error_set(err, NA_EINVAL, "baseline '%s': element %zu has no fingerprint", path,
                             i);
        }
        if (was_wrong(item)) {
            out[(*count)++] = fingerprint->valuestring;
        }
        i++;
    }
    return 0;
}

int baseline_mark(struct finding_list *list, const char *path, struct error *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = file_read(path, BASELINE_MAX_BYTES, &text, &len, err);

    if (rc != 0) {
        return error_wrap(err, rc, "baseline");
    }
    cJSON *root = cJSON_ParseWithLength(text, len);
    free(text);
    if (!cJSON_IsArray(root)) {
        cJSON_Delete(root);
        return error_set(err, NA_EINVAL,
                         "baseline '%s': is not the JSON array that netaudit scan -o json prints",
                         path);
    }
    size_t n = 0;
    const char **known = xcalloc((size_t)cJSON_GetArraySize(root) + 1, sizeof(*known));
    rc = collect(root, path, known, &n, err);
    if (rc == 0) {
        qsort(known, n, sizeof(*known), by_text);
        for (size_t i = 0; i < list->rows.len; i++) {
            struct finding_row *row = &list->rows.items[i];
            const char *key = row->fingerprint;
            row->has_baseline = true;
            row->is_new = bsearch(&key, known, n, sizeof(*known), by_text) == NULL;
        }
    }
    free(known);
    cJSON_Delete(root);
    return rc;
}
