#include "front/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"

enum { DEPTH_MAX = 32, SCALAR_MAX_BYTES = 1024 * 1024 };

bool yaml_is_plain(const char *text)
{
    static const char *const words[] = {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n"
    };
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";

    if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (text_iequal(text, words[i])) {
            return false;
        }
    }
    return text[strspn(text, letters)] == '\0';
}

static void print_text(const char *text, FILE *out)
{
    struct buf b;

    if (yaml_is_plain(text)) {
        fputs(text, out);
        return;
    }
    buf_init(&b, SCALAR_MAX_BYTES);
    buf_add_json(&b, text);
    fputs(b.len > 0 ? buf_text(&b) : "\"\"", out);
    buf_deinit(&b);
}

static void print_flow(const cJSON *node, FILE *out)
{
    char *text = cJSON_PrintUnformatted(node);

    fputs(text != NULL ? text : "null", out);
    free(text);
}

static bool is_block(const cJSON *node, int depth)
{
    return (cJSON_IsObject(node) || cJSON_IsArray(node)) && node->child != NULL &&
           depth < DEPTH_MAX;
}

static void print_node(const cJSON *node, int depth, bool after_dash, FILE *out);

/* "key:" or "-" stands already; the value goes behind it or below it. */
static void print_below(const cJSON *node, int depth, bool in_list, FILE *out)
{
    if (!is_block(node, depth)) {
        fputc(' ', out);
        if (cJSON_IsString(node)) {
            print_text(node->valuestring, out);
        } else {
            print_flow(node, out);
        }
        fputc('\n', out);
        return;
    }
    fputc(in_list ? ' ' : '\n', out);
    print_node(node, depth, in_list, out);
}

/* The recursion is bounded by DEPTH_MAX, and the trees are our own. */
static void print_node(const cJSON *node, int depth, bool after_dash, FILE *out)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, node)
    {
        fprintf(out, "%*s", after_dash ? 0 : depth * 2, "");
        after_dash = false;
        if (cJSON_IsArray(node)) {
            fputc('-', out);
        } else {
            print_text(item->string, out);
            fputc(':', out);
        }
        print_below(item, depth + 1, cJSON_IsArray(node), out);
    }
}

int tree_print(const cJSON *root, bool yaml, FILE *out)
{
    if (!yaml) {
        char *text = cJSON_Print(root);
        fputs(text != NULL ? text : "null", out);
        fputc('\n', out);
        free(text);
    } else if (is_block(root, 0)) {
        print_node(root, 0, false, out);
    } else {
        print_flow(root, out);
        fputc('\n', out);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : NA_EIO;
}
