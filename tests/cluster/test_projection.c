/* The scanner against cJSON on random JSON: where values end at every chunking, what a projection
 * keeps, and that the block scan and the plain one never differ. SEED=N replays a run. */
#include "tests/check.h"

#include <time.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "cluster/json_scan.h"
#include "cluster/kind.h"
#include "cluster/projection.h"

/* ---- random JSON ------------------------------------------------------------------------------
 */

static uint64_t random_state;

static uint32_t roll(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

static uint64_t start_random(const char *test)
{
    const char *given = getenv("SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761U;

    random_state = seed != 0 ? seed : 1;
    printf("# %s: SEED=%llu\n", test, (unsigned long long)seed);
    return random_state;
}

static void space(struct buf *b)
{
    static const char *const kinds[] = { "", "", "", " ", "\n", "\t ", "\r\n" };

    buf_adds(b, kinds[roll(7)]);
}

static void random_string(struct buf *b, uint32_t most)
{
    static const char *const parts[] = { "a",
                                         "bc",
                                         "}",
                                         "{",
                                         "]",
                                         "[",
                                         ":",
                                         ",",
                                         "\\\"",
                                         "\\\\",
                                         "\\n",
                                         "\\u0041",
                                         "\\ud83d\\ude00",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x98\x80",
                                         "some longer text",
                                         "'",
                                         "/" };
    uint32_t n = roll(most);

    buf_adds(b, "\"");
    while (n-- > 0) {
        buf_adds(b, parts[roll(18)]);
    }
    buf_adds(b, "\"");
}

/* Half of them are keys that projections know, some of those spelled with an escape. */
static void random_key(struct buf *b)
{
    static const char *const known[] = {
        "\"a\"",   "\"b\"",       "\"c\"", "\"a.b\"",  "\"p/x\"",
        "\"p/y\"", "\"\\u0061\"", "\"d\"", "\"keep\"", "\"drop\""
    };

    if (roll(4) > 0) {
        buf_adds(b, known[roll(10)]);
    } else {
        random_string(b, 6);
    }
}

static void random_value(struct buf *b, int depth)
{
    static const char *const scalars[] = { "true", "false", "null", "0", "-1.5e3", "123456789" };
    uint32_t what = depth <= 0 ? roll(2) : roll(6), n;

    if (what == 0) {
        buf_adds(b, scalars[roll(6)]);
    } else if (what == 1) {
        random_string(b, roll(20) == 0 ? 60 : 5);
    } else {
        bool object = what != 2;

        buf_adds(b, object ? "{" : "[");
        n = roll(6);
        for (uint32_t i = 0; i < n; i++) {
            buf_adds(b, i > 0 ? "," : "");
            space(b);
            if (object) {
                random_key(b);
                space(b);
                buf_adds(b, ":");
                space(b);
            }
            random_value(b, depth - 1);
            space(b);
        }
        buf_adds(b, object ? "}" : "]");
    }
}

static void random_object(struct buf *b, int depth)
{
    do {
        buf_reset(b);
        random_value(b, depth);
    } while (b->data[0] != '{');
}

/* ---- where a value ends ------------------------------------------------------------------------
 */

static bool ends_at(const char *text, size_t len, size_t piece, size_t want)
{
    struct json_end s = { .depth = 0 };
    size_t used = 0;
    bool done = false;

    while (used < len && !done) {
        size_t n = len - used < piece ? len - used : piece;

        used += json_end_feed(&s, text + used, n, &done);
    }
    return done && used == want && !s.too_deep;
}

TEST(a_value_ends_at_the_same_byte_at_every_chunking)
{
    struct buf b;

    start_random("chunking");
    buf_init(&b, 1 << 20);
    for (int round = 0; round < 400; round++) {
        size_t len;

        random_object(&b, 5);
        len = b.len;
        buf_adds(&b, "{\"next\":1}\n");
        for (int plain = 0; plain < 2; plain++) {
            json_scan_plain = plain != 0;
            for (size_t piece = 1; piece <= (len < 200 ? len + 1 : 70); piece++) {
                REQUIRE("the end is the end", ends_at(b.data, b.len, piece, len));
            }
            REQUIRE("in one piece", ends_at(b.data, b.len, b.len, len));
        }
    }
    json_scan_plain = false;
    buf_deinit(&b);
}

TEST(ends_of_odd_values)
{
    static const struct {
        const char *fact, *text;
        size_t used;
        bool done;
    } rows[] = {
        { "white space alone is no value", "  \n", 3, false },
        { "leading white space is consumed", " {}x", 3, true },
        { "a string", "\"a\\\"b\"c", 6, true },
        { "a number ends at the byte after it", "12 ", 2, true },
        { "a number may go on", "12", 2, false },
        { "brackets in strings do not count", "{\"}\":\"]\"}{", 9, true },
        { "an open container", "{\"a\":[", 6, false },
        { "a stray bracket is passed", "]]", 1, true },
        { "a stray comma is passed", ",{}", 1, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_end s = { .depth = 0 };
        bool done;

        CHECK_INT(rows[i].fact, json_end_feed(&s, rows[i].text, strlen(rows[i].text), &done),
                  rows[i].used);
        CHECK(rows[i].fact, done == rows[i].done);
    }
}

TEST(depth_is_bounded_without_recursion)
{
    enum { DEEP = 100000 };
    struct projection *p = projection_create((const char *const[]){ "keep", "a.b", NULL });
    struct error err = { .code = 0 };
    struct buf b, out;

    buf_init(&b, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int plain = 0; plain < 2; plain++) {
        json_scan_plain = plain != 0;
        for (int levels = 63; levels <= 66; levels++) {
            struct json_end s = { .depth = 0 };
            bool done;

            buf_reset(&b);
            buf_adds(&b, "{\"keep\":");
            for (int i = 0; i < levels - 1; i++) {
                buf_adds(&b, "[");
            }
            for (int i = 0; i < levels - 1; i++) {
                buf_adds(&b, "]");
            }
            buf_adds(&b, "}");
            CHECK_INT("the end is found", json_end_feed(&s, b.data, b.len, &done), b.len);
            CHECK("64 levels and no more", done && s.too_deep == (levels > 64));
            CHECK_INT("in a projection too", projection_apply(p, b.data, b.len, &out, &err),
                      levels > 64 ? NA_ELIMIT : 0);
        }
        buf_reset(&b);
        buf_adds(&b, "{\"other\":");
        for (int i = 0; i < DEEP; i++) {
            buf_adds(&b, i % 2 == 0 ? "[" : "{\"x\":");
        }
        buf_reset(&out);
        CHECK_INT("a bomb in what is skipped", projection_apply(p, b.data, b.len, &out, &err),
                  NA_ELIMIT);
        CHECK_INT("leaves nothing", out.len, 0);
    }
    json_scan_plain = false;
    buf_deinit(&b);
    buf_deinit(&out);
    projection_destroy(p);
}

/* ---- the block scan against the plain one -------------------------------------------------------
 */

TEST(block_and_plain_scan_agree_on_any_bytes)
{
    static const char alphabet[] = "{}[]\"\\\\\",: ab1";
    char text[400];

    start_random("scan");
    for (int round = 0; round < 100000; round++) {
        size_t len = 1 + roll(sizeof(text) - 1), used[2];
        struct json_end s[2] = { { .depth = 0 }, { .depth = 0 } };
        bool done[2];

        for (size_t i = 0; i < len; i++) {
            text[i] = roll(40) == 0 ? (char)roll(256) : alphabet[roll(sizeof(alphabet) - 1)];
        }
        text[0] = '{';
        for (int plain = 0; plain < 2; plain++) {
            size_t half = len / 3;

            json_scan_plain = plain != 0;
            used[plain] = json_end_feed(&s[plain], text, half, &done[plain]);
            if (!done[plain]) {
                used[plain] +=
                    json_end_feed(&s[plain], text + used[plain], len - used[plain], &done[plain]);
            }
        }
        json_scan_plain = false;
        REQUIRE("same end and same state",
                used[0] == used[1] && done[0] == done[1] && s[0].depth == s[1].depth &&
                    s[0].in_string == s[1].in_string && s[0].escaped == s[1].escaped &&
                    s[0].too_deep == s[1].too_deep);
    }
}

/* ---- what is kept
 * -------------------------------------------------------------------------------- */

static const char *const test_paths[] = { "a.b",       "a.c[].d", "a.c[].keep", "b",     "-b.drop",
                                          "-b.a.drop", "c.p/*",   "c.a\\.b",    "d[].a", NULL };

static cJSON *last_member(const cJSON *obj, const char *key)
{
    cJSON *found = NULL, *child;

    cJSON_ArrayForEach(child, obj)
    {
        if (child->string != NULL && strcmp(child->string, key) == 0) {
            found = child;
        }
    }
    return found;
}

/* The same by cJSON: a slow model. `path` steps as in test_paths, already split. */
static cJSON *shape_or_scalar(const cJSON *v, bool want_array)
{
    if (cJSON_IsObject(v) && want_array) {
        return cJSON_CreateObject();
    }
    if (cJSON_IsArray(v) && !want_array) {
        return cJSON_CreateArray();
    }
    return NULL;
}

static cJSON *model_a(const cJSON *v);
static cJSON *model_b(const cJSON *v);
static cJSON *model_c(const cJSON *v);

static cJSON *each_element(const cJSON *v, cJSON *(*element)(const cJSON *))
{
    cJSON *out, *child;

    if (!cJSON_IsArray(v)) {
        return cJSON_IsObject(v) ? cJSON_CreateObject() : cJSON_Duplicate(v, 1);
    }
    out = cJSON_CreateArray();
    cJSON_ArrayForEach(child, v)
    {
        cJSON_AddItemToArray(out, element(child));
    }
    return out;
}

static cJSON *pick(const cJSON *v, const char *const *keys)
{
    cJSON *out = shape_or_scalar(v, false), *child;

    if (out != NULL || !cJSON_IsObject(v)) {
        return out != NULL ? out : cJSON_Duplicate(v, 1);
    }
    out = cJSON_CreateObject();
    for (; *keys != NULL; keys++) {
        child = last_member(v, *keys);
        if (child != NULL) {
            cJSON_AddItemToObject(out, *keys, cJSON_Duplicate(child, 1));
        }
    }
    return out;
}

static cJSON *model_ac(const cJSON *v)
{
    return pick(v, (const char *const[]){ "d", "keep", NULL });
}

static cJSON *model_d(const cJSON *v)
{
    return pick(v, (const char *const[]){ "a", NULL });
}

static cJSON *model_a(const cJSON *v)
{
    cJSON *out = pick(v, (const char *const[]){ "b", NULL }), *c = last_member(v, "c");

    if (cJSON_IsObject(v) && c != NULL) {
        cJSON_AddItemToObject(out, "c", each_element(c, model_ac));
    }
    return out;
}

/* A subtree kept whole but for two members. */
static cJSON *model_b(const cJSON *v)
{
    cJSON *out = cJSON_Duplicate(v, 1), *a;

    if (cJSON_IsObject(out)) {
        while (last_member(out, "drop") != NULL) {
            cJSON_Delete(cJSON_DetachItemViaPointer(out, last_member(out, "drop")));
        }
        a = last_member(out, "a");
        while (cJSON_IsObject(a) && last_member(a, "drop") != NULL) {
            cJSON_Delete(cJSON_DetachItemViaPointer(a, last_member(a, "drop")));
        }
    }
    return out;
}

static cJSON *model_c(const cJSON *v)
{
    return pick(v, (const char *const[]){ "p/x", "p/y", "a.b", NULL });
}

static cJSON *model(const cJSON *tree)
{
    cJSON *out = cJSON_CreateObject(), *v;

    if ((v = last_member(tree, "a")) != NULL) {
        cJSON_AddItemToObject(out, "a", model_a(v));
    }
    if ((v = last_member(tree, "b")) != NULL) {
        cJSON_AddItemToObject(out, "b", model_b(v));
    }
    if ((v = last_member(tree, "c")) != NULL) {
        cJSON_AddItemToObject(out, "c", model_c(v));
    }
    if ((v = last_member(tree, "d")) != NULL) {
        cJSON_AddItemToObject(out, "d", each_element(v, model_d));
    }
    return out;
}

/* Equal as a reader sees it who takes the last of two equal keys. */
static bool same(const cJSON *a, const cJSON *b)
{
    const cJSON *x, *y;

    if ((a->type & 0xFF) != (b->type & 0xFF)) {
        return false;
    }
    if (cJSON_IsString(a)) {
        return strcmp(a->valuestring, b->valuestring) == 0;
    }
    if (cJSON_IsArray(a)) {
        for (x = a->child, y = b->child; x != NULL && y != NULL; x = x->next, y = y->next) {
            if (!same(x, y)) {
                return false;
            }
        }
        return x == NULL && y == NULL;
    }
    if (!cJSON_IsObject(a)) {
        return !(a->valuedouble < b->valuedouble) && !(a->valuedouble > b->valuedouble);
    }
    cJSON_ArrayForEach(x, a)
    {
        y = last_member(b, x->string);
        if (y == NULL || !same(last_member(a, x->string), y)) {
            return false;
        }
    }
    cJSON_ArrayForEach(y, b)
    {
        if (last_member(a, y->string) == NULL) {
            return false;
        }
    }
    return true;
}

TEST(a_projection_keeps_exactly_the_wanted_paths)
{
    struct projection *p = projection_create(test_paths);
    struct error err = { .code = 0 };
    struct buf b, out;
    size_t kept = 0;

    start_random("projection");
    buf_init(&b, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int round = 0; round < 25000; round++) {
        cJSON *tree, *want, *got;

        random_object(&b, 5);
        buf_reset(&out);
        json_scan_plain = round % 2 != 0;
        REQUIRE("it projects", projection_apply(p, b.data, b.len, &out, &err) == 0);
        tree = cJSON_ParseWithLength(b.data, b.len);
        got = cJSON_ParseWithLength(out.data, out.len);
        REQUIRE("the input is JSON", tree != NULL);
        REQUIRE("the output is JSON", got != NULL);
        want = model(tree);
        if (!same(want, got)) {
            fprintf(stderr, "in:  %s\ngot: %s\n", b.data, out.data);
        }
        REQUIRE("what the model keeps", same(want, got));
        kept += cJSON_GetArraySize(want) > 0;
        cJSON_Delete(tree);
        cJSON_Delete(want);
        cJSON_Delete(got);
    }
    json_scan_plain = false;
    CHECK("the test had something to keep", kept > 4000);
    buf_deinit(&b);
    buf_deinit(&out);
    projection_destroy(p);
}

/* Cut, or with a byte changed: never a crash, and what comes out is again projectable. */
TEST(broken_json_is_refused_or_projected_but_never_trusted)
{
    struct projection *p = projection_create(test_paths);
    struct error err = { .code = 0 };
    struct buf b, out;
    int refused = 0;

    start_random("broken");
    buf_init(&b, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int round = 0; round < 25000; round++) {
        char *copy;
        size_t len;

        random_object(&b, 4);
        len = roll(3) == 0 ? roll((uint32_t)b.len) : b.len;
        copy = malloc(len + 1); /* exactly as long: a read past the end is seen by the sanitizer */
        memcpy(copy, b.data, len);
        for (uint32_t i = 0; len > 0 && i < 1 + roll(3); i++) {
            copy[roll((uint32_t)len)] = "{}[]\",:\\x\xff"[roll(10)];
        }
        buf_reset(&out);
        if (projection_apply(p, copy, len, &out, &err) != 0) {
            refused++;
            CHECK_INT("nothing is left of it", out.len, 0);
        }
        free(copy);
    }
    CHECK("many were refused", refused > 4000);
    buf_deinit(&b);
    buf_deinit(&out);
    projection_destroy(p);
}

static const struct {
    const char *fact, *in, *out;
} fixed[] = {
    { "nothing wanted, nothing kept", "{\"x\":1}", "{}" },
    { "white space goes", " { \"b\" : 1 } ", "{\"b\":1}" },
    { "of a key twice the last wins", "{\"d\":[],\"b\":1,\"b\":2}", "{\"d\":[],\"b\":2}" },
    { "also in the middle", "{\"b\":1,\"d\":[],\"b\":2}", "{\"d\":[],\"b\":2}" },
    { "also spelled with an escape", "{\"b\":1,\"\\u0062\":2}", "{\"b\":2}" },
    { "a wrong type is told by its shape", "{\"a\":[1],\"d\":{\"a\":1}}", "{\"a\":[],\"d\":{}}" },
    { "a scalar where an object is wanted", "{\"a\":\"x\"}", "{\"a\":\"x\"}" },
    { "null stays null", "{\"a\":null}", "{\"a\":null}" },
    { "a prefix keeps its keys", "{\"c\":{\"p/1\":1,\"q/1\":2,\"p/2\":3}}",
      "{\"c\":{\"p/1\":1,\"p/2\":3}}" },
    { "a key with a dot is one step", "{\"c\":{\"a.b\":1,\"a\":{\"b\":2}}}",
      "{\"c\":{\"a.b\":1}}" },
    { "dropping inside a kept subtree", "{\"b\":{\"x\":1,\"drop\":{\"y\":[2]},\"z\":3}}",
      "{\"b\":{\"x\":1,\"z\":3}}" },
    { "a list that is kept stays as it is", "{\"b\":[{\"drop\":1}]}", "{\"b\":[{\"drop\":1}]}" },
};

TEST(projections_of_fixed_texts)
{
    struct projection *p = projection_create(test_paths);
    struct error err = { .code = 0 };
    struct buf out;

    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        buf_reset(&out);
        CHECK_INT(fixed[i].fact, projection_apply(p, fixed[i].in, strlen(fixed[i].in), &out, &err),
                  0);
        CHECK_STR(fixed[i].fact, buf_text(&out), fixed[i].out);
    }
    buf_reset(&out);
    CHECK_INT("two values are not one object", projection_apply(p, "{} {}", 5, &out, &err),
              NA_EINVAL);
    CHECK_INT("a list is no object", projection_apply(p, "[]", 2, &out, &err), NA_EINVAL);
    CHECK_INT("bad UTF-8 in what is kept", projection_apply(p, "{\"b\":\"\xff\"}", 9, &out, &err),
              NA_EINVAL);
    CHECK_INT("bad UTF-8 in what is not", projection_apply(p, "{\"x\":\"\xff\"}", 9, &out, &err),
              0);
    projection_destroy(p);
    buf_deinit(&out);

    p = projection_create(test_paths);
    buf_init(&out, 20);
    buf_adds(&out, "before");
    CHECK_INT("too large for the buffer",
              projection_apply(p, "{\"b\":\"0123456789012345\"}", 24, &out, &err), NA_ELIMIT);
    CHECK_STR("which is then as it was", buf_text(&out), "before");
    buf_deinit(&out);
    projection_destroy(p);
}

TEST(every_kind_has_a_table_that_compiles)
{
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        struct projection *p = projection_create(kind_table[i].paths);

        CHECK("rows stand at their kind", kind_table[i].kind == (enum kind)i && p != NULL);
        projection_destroy(p);
    }
    CHECK("kinds are found by group and version",
          kind_find("apps/v1", "Deployment") == &kind_table[KIND_DEPLOYMENT] &&
              kind_find("v1", "Pod") == &kind_table[KIND_POD] &&
              kind_find("extensions/v1beta1", "Ingress") == NULL &&
              kind_find_group("networking.k8s.io", "Ingress") == &kind_table[KIND_INGRESS]);
}

/* ---- frames
 * ---------------------------------------------------------------------------------------- */

static const struct {
    const char *fact, *text;
    int rc;
    enum frame_type type;
    const char *object;
} frames[] = {
    { "type first", "{\"type\":\"ADDED\",\"object\":{\"a\":1}}", 0, FRAME_ADDED, "{\"a\":1}" },
    { "object first", "{\"object\":{\"type\":\"DELETED\"},\"type\":\"MODIFIED\"}", 0,
      FRAME_MODIFIED, "{\"type\":\"DELETED\"}" },
    { "white space", " { \"type\" : \"DELETED\" , \"object\" : { } } \n", 0, FRAME_DELETED, "{ }" },
    { "a bookmark", "{\"type\":\"BOOKMARK\",\"object\":{}}", 0, FRAME_BOOKMARK, "{}" },
    { "an error", "{\"type\":\"ERROR\",\"object\":{\"code\":410}}", 0, FRAME_ERROR,
      "{\"code\":410}" },
    { "a type of tomorrow", "{\"type\":\"SOMETHING\",\"object\":{}}", 0, FRAME_OTHER, "{}" },
    { "unknown members", "{\"x\":[{}],\"type\":\"ADDED\",\"y\":\"}\",\"object\":{}}", 0,
      FRAME_ADDED, "{}" },
    { "an escaped key", "{\"t\\u0079pe\":\"ADDED\",\"object\":{}}", 0, FRAME_ADDED, "{}" },
    { "no object", "{\"type\":\"ADDED\"}", NA_EINVAL, 0, NULL },
    { "no type", "{\"object\":{}}", NA_EINVAL, 0, NULL },
    { "a list", "[]", NA_EINVAL, 0, NULL },
    { "cut", "{\"type\":\"ADDED\",\"object\":{", NA_EINVAL, 0, NULL },
    { "two", "{\"type\":\"ADDED\",\"object\":{}}{}", NA_EINVAL, 0, NULL },
    { "a Status instead of an event", "{\"kind\":\"Status\",\"code\":410}", NA_EINVAL, 0, NULL },
    { "nothing", "", NA_EINVAL, 0, NULL },
};

TEST(watch_frames_are_taken_apart)
{
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        struct frame f = { .object = NULL };
        struct error err = { .code = 0 };
        int rc = frame_parse(frames[i].text, strlen(frames[i].text), &f, &err);

        CHECK_INT(frames[i].fact, rc, frames[i].rc);
        if (rc == 0 && frames[i].rc == 0) {
            CHECK(frames[i].fact, f.type == frames[i].type &&
                                      f.object_len == strlen(frames[i].object) &&
                                      memcmp(f.object, frames[i].object, f.object_len) == 0);
        }
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_value_ends_at_the_same_byte_at_every_chunking),
              cmocka_unit_test(ends_of_odd_values),
              cmocka_unit_test(depth_is_bounded_without_recursion),
              cmocka_unit_test(block_and_plain_scan_agree_on_any_bytes),
              cmocka_unit_test(a_projection_keeps_exactly_the_wanted_paths),
              cmocka_unit_test(broken_json_is_refused_or_projected_but_never_trusted),
              cmocka_unit_test(projections_of_fixed_texts),
              cmocka_unit_test(every_kind_has_a_table_that_compiles),
              cmocka_unit_test(watch_frames_are_taken_apart));
}
