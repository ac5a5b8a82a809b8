/* A text is cut at its "---" lines first, as kubectl does: then one bad document does not hide
 * those behind it, and only one tree and one parser buffer exist at a time. ("---" at the start of
 * a line ends a document whatever it stands in, so the cut is safe.) Each piece is read as JSON
 * when it looks like it, else by libyaml's event parser; both fill a yaml_tree. */
#include "cluster/yaml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "cluster/yaml_text.h"
#include "cluster/yaml_tree.h"

#define CORE_TAG "tag:yaml.org,2002:"

const struct yaml_limits yaml_limits_default = {
    .max_bytes = 64 * 1024 * 1024,
    .max_depth = YAML_DEPTH_MAX,
    .max_aliases = 1000,
    .max_nodes = 4 * 1000 * 1000,
    .max_alias_bytes = 8 * 1024 * 1024,
};

enum reader_mode { READER_BETWEEN, READER_JSON, READER_YAML };

struct yaml_reader {
    struct yaml_text text;
    const struct yaml_limits *limits;
    enum reader_mode mode;
    struct yaml_json json;
    bool json_began; /* a value of this piece has been read as JSON: it is no YAML */
    yaml_parser_t parser;
};

static int begin_yaml(struct yaml_reader *r, struct error *err)
{
    if (yaml_parser_initialize(&r->parser) == 0) {
        return error_set(err, NA_ENOMEM, "there is no memory for the parser");
    }
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.chunk,
                                 r->text.chunk_len);
    r->mode = READER_YAML;
    return 0;
}

static void end_chunk(struct yaml_reader *r)
{
    if (r->mode == READER_YAML) {
        yaml_parser_delete(&r->parser);
    }
    r->mode = READER_BETWEEN;
}

static int begin_chunk(struct yaml_reader *r, uint32_t *error_line, struct error *err)
{
    uint32_t line;
    size_t at;
    int rc = yaml_text_check(&r->text, r->limits->max_bytes, error_line, err);

    if (rc != 0) {
        return rc;
    }
    at = yaml_text_content(&r->text, &line);
    if (!yaml_text_is_json(&r->text, at)) {
        return begin_yaml(r, err);
    }
    r->json = (struct yaml_json){
        .text = r->text.chunk, .len = r->text.chunk_len, .at = at, .line_start = at, .line = line
    };
    r->json_began = false;
    r->mode = READER_JSON;
    return 0;
}

/* ---- libyaml's events ---- */

static struct yaml_place place(const struct yaml_reader *r, yaml_mark_t mark)
{
    return (struct yaml_place){ (uint32_t)mark.line + r->text.chunk_line,
                                (uint32_t)mark.column + 1 };
}

static int parser_failed(struct yaml_reader *r, struct yaml_tree *t)
{
    const yaml_parser_t *p = &r->parser;
    struct yaml_place at = place(r, p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR) {
        return yaml_tree_refuse(t, NA_ENOMEM, at, "there is no memory for the document");
    }
    if (p->error == YAML_READER_ERROR) {
        at = place(r, p->mark);
    }
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line) {
        return yaml_tree_fail(t, at, "%s %s that begins on line %zu",
                              p->problem != NULL ? p->problem : "syntax error", p->context,
                              p->context_mark.line + r->text.chunk_line);
    }
    return yaml_tree_fail(t, at, "%s%s%s", p->problem != NULL ? p->problem : "syntax error",
                          p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
}

/* The part of a core tag that tells it; "" for none or the non-specific "!". NULL: not a core tag.
 */
static const char *core_tag(const yaml_char_t *tag)
{
    const char *text = (const char *)tag;

    if (text == NULL) {
        return "";
    }
    if (strcmp(text, "!") == 0) {
        return "!";
    }
    return text_starts(text, CORE_TAG) ? text + strlen(CORE_TAG) : NULL;
}

static int give_resolved(struct yaml_tree *t, const char *text, size_t len, const char *tag,
                         struct yaml_place at, cJSON **out)
{
    char digits[32];
    bool whole = false;
    double value = 0;
    enum yaml_scalar means = yaml_scalar_resolve(text, len, &value, &whole, digits);
    bool wanted =
        tag[0] == '\0' || (strcmp(tag, "null") == 0 && means == YAML_SCALAR_NULL) ||
        (strcmp(tag, "bool") == 0 && (means == YAML_SCALAR_TRUE || means == YAML_SCALAR_FALSE)) ||
        (strcmp(tag, "int") == 0 && means == YAML_SCALAR_NUMBER && whole) ||
        (strcmp(tag, "float") == 0 && means == YAML_SCALAR_NUMBER);

    if (means == YAML_SCALAR_NOT_FINITE && (wanted || strcmp(tag, "float") == 0)) {
        return yaml_tree_fail(t, at, "'%.*s' has no place in JSON; quote it if it is a text",
                              (int)len, text);
    }
    if (!wanted) {
        return yaml_tree_fail(t, at, "'%.*s' is no !!%s", (int)(len < 80 ? len : 80), text, tag);
    }
    switch (means) {
    case YAML_SCALAR_NULL:
        return yaml_tree_word(t, cJSON_NULL, at, out);
    case YAML_SCALAR_TRUE:
        return yaml_tree_word(t, cJSON_True, at, out);
    case YAML_SCALAR_FALSE:
        return yaml_tree_word(t, cJSON_False, at, out);
    case YAML_SCALAR_NUMBER:
        return yaml_tree_number(
            t, value, whole && fabs(value) >= 9007199254740992.0 ? digits : NULL, at, out);
    default:
        return yaml_tree_string(t, text, len, at, out);
    }
}

static void shortest_text(double value, char out[32])
{
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(out, 32, "%.*g", precision, value);
        if (strtod(out, NULL) == value) { /* exactly: it is read back as the same */
            return;
        }
    }
}

/* Keys of a mapping become strings, as kubectl makes JSON of them: true -> "true", 0x10 -> "16". */
static int give_key(struct yaml_tree *t, const yaml_event_t *e, const char *tag,
                    struct yaml_place at)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && tag[0] == '\0';
    char digits[32];
    bool whole = false;
    double value;

    if (plain && len == 2 && memcmp(text, "<<", 2) == 0) {
        return yaml_tree_key(t, text, len, true, at);
    }
    if (strcmp(tag, "merge") == 0) {
        return yaml_tree_key(t, "<<", 2, true, at);
    }
    if (plain) {
        switch (yaml_scalar_resolve(text, len, &value, &whole, digits)) {
        case YAML_SCALAR_NULL:
            return yaml_tree_fail(t, at, "a key is empty or null");
        case YAML_SCALAR_TRUE:
            return yaml_tree_key(t, "true", 4, false, at);
        case YAML_SCALAR_FALSE:
            return yaml_tree_key(t, "false", 5, false, at);
        case YAML_SCALAR_NUMBER:
            if (!whole) {
                shortest_text(value, digits);
            }
            return yaml_tree_key(t, digits, strlen(digits), false, at);
        default:
            break;
        }
    }
    return yaml_tree_key(t, text, len, false, at);
}

static int on_scalar(struct yaml_reader *r, struct yaml_tree *t, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value, *tag = core_tag(e->data.scalar.tag);
    const char *anchor = (const char *)e->data.scalar.anchor;
    struct yaml_place at = place(r, e->start_mark);
    size_t len = e->data.scalar.length;
    cJSON *node = NULL;
    int rc;

    if (tag == NULL || strcmp(tag, "seq") == 0 || strcmp(tag, "map") == 0) {
        return yaml_tree_fail(t, at, "tag '%s' is not one that Kubernetes reads",
                              (const char *)e->data.scalar.tag);
    }
    if (yaml_tree_wants_key(t)) {
        rc = give_key(t, e, tag, at);
        return rc == 0 && anchor != NULL ? yaml_tree_anchor_key(t, anchor, at) : rc;
    }
    /* !!binary stays as written: no field that is judged holds bytes. */
    if (strcmp(tag, "!") == 0 || strcmp(tag, "str") == 0 || strcmp(tag, "binary") == 0 ||
        strcmp(tag, "timestamp") == 0 ||
        (tag[0] == '\0' && e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)) {
        rc = yaml_tree_string(t, text, len, at, &node);
    } else if (tag[0] == '\0' || strcmp(tag, "null") == 0 || strcmp(tag, "bool") == 0 ||
               strcmp(tag, "int") == 0 || strcmp(tag, "float") == 0) {
        rc = give_resolved(t, text, len, tag, at, &node);
    } else {
        rc = yaml_tree_fail(t, at, "tag '!!%s' is not one that Kubernetes reads", tag);
    }
    return rc == 0 && anchor != NULL ? yaml_tree_anchor(t, anchor, node, at) : rc;
}

static int on_open(struct yaml_reader *r, struct yaml_tree *t, const yaml_event_t *e)
{
    bool mapping = e->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag = mapping ? e->data.mapping_start.tag : e->data.sequence_start.tag;
    const yaml_char_t *anchor =
        mapping ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
    struct yaml_place at = place(r, e->start_mark);
    const char *core = core_tag(tag);
    cJSON *node = NULL;
    int rc;

    if (core == NULL ||
        (core[0] != '\0' && strcmp(core, "!") != 0 && strcmp(core, mapping ? "map" : "seq") != 0)) {
        return yaml_tree_fail(t, at, "tag '%s' is not one that Kubernetes reads",
                              (const char *)tag);
    }
    if (yaml_tree_wants_key(t)) {
        return yaml_tree_fail(t, at, "a key must be a single word or text, not a %s",
                              mapping ? "mapping" : "list");
    }
    rc = yaml_tree_open(t, mapping, at, &node);
    return rc == 0 && anchor != NULL ? yaml_tree_anchor(t, (const char *)anchor, node, at) : rc;
}

/* *state: 1 the document has ended, 0 the text has, -1 go on. */
static int on_event(struct yaml_reader *r, struct yaml_tree *t, const yaml_event_t *e, int *state)
{
    *state = -1;
    switch (e->type) {
    case YAML_STREAM_END_EVENT:
        *state = 0;
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        *state = 1;
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(r, t, e);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_open(r, t, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return yaml_tree_close(t);
    case YAML_ALIAS_EVENT:
        return yaml_tree_alias(t, (const char *)e->data.alias.anchor, place(r, e->start_mark));
    default:
        return 0;
    }
}

/* As yaml_json_next. */
static int yaml_next(struct yaml_reader *r, struct yaml_tree *t)
{
    int state = -1, rc = 0;

    while (rc == 0 && state < 0) {
        yaml_event_t event;

        if (yaml_parser_parse(&r->parser, &event) == 0) {
            return parser_failed(r, t);
        }
        rc = on_event(r, t, &event, &state);
        yaml_event_delete(&event);
    }
    return rc != 0 ? rc : state;
}

/* ---- the reader ---- */

int yaml_reader_create(struct yaml_reader **out, const char *text, size_t len,
                       const struct yaml_limits *limits, struct error *err)
{
    struct yaml_reader *r = xcalloc(1, sizeof(*r));
    int rc;

    r->limits = limits;
    rc = yaml_text_init(&r->text, text, len, err);
    if (rc != 0) {
        yaml_reader_destroy(r);
        return rc;
    }
    *out = r;
    return 0;
}

void yaml_reader_destroy(struct yaml_reader *r)
{
    if (r == NULL) {
        return;
    }
    end_chunk(r);
    yaml_text_deinit(&r->text);
    free(r);
}

const char *yaml_reader_chunk(const struct yaml_reader *r, size_t *len)
{
    *len = r->text.chunk_len;
    return r->text.chunk;
}

/* What looked like JSON is not: it may be YAML that begins with a brace (a flow mapping, a
 * template). When it is neither, the reader that understood more of it is believed. */
static int json_or_yaml(struct yaml_reader *r, struct yaml_tree *t, int json_rc)
{
    struct error json_err = { .code = 0 };
    uint32_t json_line = *t->error_line;
    bool far = t->nodes > 1; /* more than the first brace was JSON */
    int rc;

    if (t->err != NULL) {
        json_err = *t->err;
        t->err->code = 0;
    }
    if (r->json_began || json_rc != NA_EINVAL) {
        if (t->err != NULL) {
            *t->err = json_err;
        }
        return json_rc;
    }
    {
        struct error *err = t->err;
        uint32_t *error_line = t->error_line;

        yaml_tree_deinit(t);
        yaml_tree_init(t, r->limits, error_line, err);
    }
    r->mode = READER_BETWEEN;
    rc = begin_yaml(r, t->err);
    rc = rc != 0 ? rc : yaml_next(r, t);
    if (rc < 0 && far) {
        *t->error_line = json_line;
        if (t->err != NULL) {
            *t->err = json_err;
        }
    }
    return rc;
}

static bool is_nothing(const struct yaml_tree *t)
{
    return t->root == NULL || (cJSON_IsNull(t->root) && t->nodes == 1);
}

int yaml_reader_next(struct yaml_reader *r, struct yaml_document *doc, uint32_t *error_line,
                     struct error *err)
{
    for (;;) {
        struct yaml_tree t;
        uint32_t column;
        int rc;

        if (r->mode == READER_BETWEEN) {
            if (!yaml_text_next(&r->text)) {
                return 0;
            }
            rc = begin_chunk(r, error_line, err);
            if (rc != 0) {
                return rc;
            }
        }
        yaml_tree_init(&t, r->limits, error_line, err);
        if (r->mode == READER_JSON) {
            rc = yaml_json_next(&r->json, &t);
            rc = rc < 0 ? json_or_yaml(r, &t, rc) : rc;
            r->json_began = true;
        } else {
            rc = yaml_next(r, &t);
        }
        bool given = rc == 1 && !is_nothing(&t);

        if (given) {
            doc->root = t.root;
            t.root = NULL;
            yaml_position(doc, doc->root, &doc->line, &column);
        }
        if (rc != 1) {
            end_chunk(r);
        }
        yaml_tree_deinit(&t);
        if (rc < 0 || given) {
            return rc;
        }
    }
}

void yaml_document_deinit(struct yaml_document *doc)
{
    cJSON_Delete(doc->root);
    doc->root = NULL;
}

/* ---- whole texts ---- */

static int read_all(struct yaml_reader *r, struct yaml_file *out, uint32_t *error_line,
                    struct error *err)
{
    uint32_t cap = 0;

    for (;;) {
        struct yaml_document doc = { .root = NULL };
        int rc = yaml_reader_next(r, &doc, error_line, err);

        if (rc <= 0) {
            return rc;
        }
        if (out->count == cap) {
            cap = cap > 0 ? cap * 2 : 4;
            out->documents = xrealloc(out->documents, cap * sizeof(doc));
        }
        out->documents[out->count++] = doc;
    }
}

int yaml_parse(const char *text, size_t len, const struct yaml_limits *limits,
               struct yaml_file *out, uint32_t *error_line, struct error *err)
{
    struct yaml_reader *r = NULL;
    uint32_t ignored;
    int rc;

    memset(out, 0, sizeof(*out));
    if (error_line == NULL) {
        error_line = &ignored;
    }
    *error_line = 1;
    if (len > limits->max_bytes) {
        return error_set(err, NA_ELIMIT, "line 1, column 1: the text is larger than %zu bytes",
                         limits->max_bytes);
    }
    rc = yaml_reader_create(&r, text, len, limits, err);
    if (rc != 0) {
        return error_wrap(err, rc, "line 1, column 1");
    }
    rc = read_all(r, out, error_line, err);
    yaml_reader_destroy(r);
    return rc;
}

void yaml_file_deinit(struct yaml_file *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        yaml_document_deinit(&f->documents[i]);
    }
    free(f->documents);
    memset(f, 0, sizeof(*f));
}
