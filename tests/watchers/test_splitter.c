/* KUBE_CLIENT A6, A8, A10, A12, B15: values out of a body, however it is cut. */
#include "tests/check.h"

#include "base/buf.h"
#include "base/xalloc.h"
#include "watchers/splitter.h"

struct seen {
    struct buf text; /* every value and a bar */
    unsigned values;
    uint64_t too_large;
    unsigned stop_at; /* this value says stop; 0: none */
};

static int take(void *ctx, const char *json, size_t len, struct error *err)
{
    struct seen *s = ctx;

    buf_add(&s->text, json, len);
    buf_adds(&s->text, "|");
    s->values++;
    return s->values == s->stop_at ? error_set(err, NA_ECANCELED, "enough") : 0;
}

static void pass(void *ctx, uint64_t bytes)
{
    struct seen *s = ctx;

    s->too_large += bytes;
}

/* The outcome as text: the values, then how it ended. */
static char *run(enum splitter_mode mode, const char *body, size_t len, size_t first, size_t piece,
                 size_t max)
{
    struct seen seen = { .values = 0 };
    const struct splitter_sink sink = { &seen, take, pass };
    struct splitter *s = splitter_create(&sink, max, first % 2 == 1);
    struct error err = { 0 };
    struct list_end end;
    int rc = 0;
    char *out;

    buf_init(&seen.text, 1 << 24);
    splitter_begin(s, mode);
    for (size_t at = 0; rc == 0 && at < len;) {
        size_t n = at == 0 && first > 0 ? first : piece;
        char *copy;

        n = n < len - at ? n : len - at;
        copy = xmalloc(n); /* its own block, so that a read beyond it is seen */
        memcpy(copy, body + at, n);
        rc = splitter_feed(s, copy, n, &err);
        free(copy);
        at += n;
    }
    if (rc == 0 && mode == SPLITTER_WATCH) {
        rc = splitter_end_watch(s, &err);
    } else if (rc == 0) {
        rc = splitter_end_list(s, &end, &err);
        if (rc == 0) {
            buf_addf(&seen.text, "%s %s rv=%s continue=%s items=%u", end.kind, end.api_version,
                     end.resource_version, end.continue_token, (unsigned)end.items);
        }
    }
    if (rc != 0) {
        buf_addf(&seen.text, "error %d", rc);
    }
    if (seen.too_large > 0) {
        buf_addf(&seen.text, " too large %u", (unsigned)seen.too_large);
    }
    splitter_destroy(s);
    out = buf_take(&seen.text);
    return out;
}

#define LIST_HEAD                                                                                  \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"42\"},"

static const struct {
    const char *fact;
    enum splitter_mode mode;
    const char *body, *outcome;
} bodies[] = {
    { "B15: frames with newlines between them", SPLITTER_WATCH, "{\"a\":1}\n{\"b\":{}}\n",
      "{\"a\":1}|{\"b\":{}}|" },
    { "B15: frames without newlines between them", SPLITTER_WATCH, "{\"a\":1}{\"b\":\"}\"}",
      "{\"a\":1}|{\"b\":\"}\"}|" },
    { "B15: newlines within frames", SPLITTER_WATCH, " {\n\"a\"\n:\n[\n]\n}\r\n\t",
      "{\n\"a\"\n:\n[\n]\n}|" },
    { "B15: brackets and escapes in strings", SPLITTER_WATCH, "{\"a\":\"\\\"}{\\\\\"}{\"b\":\"[\"}",
      "{\"a\":\"\\\"}{\\\\\"}|{\"b\":\"[\"}|" },
    { "an empty watch is none", SPLITTER_WATCH, "", "" },
    { "a watch cut within a frame was cut", SPLITTER_WATCH,
      "{\"a\":1}\n{\"b\":", "{\"a\":1}|error -3" },
    { "a stream of something else is refused", SPLITTER_WATCH, "{\"a\":1}\nhello",
      "{\"a\":1}|error -1" },
    { "a closing bracket between frames is refused", SPLITTER_WATCH, "{\"a\":1}}",
      "{\"a\":1}|error -1" },
    { "HTML is refused", SPLITTER_WATCH, "<html>", "error -1" },

    { "section 6: a list as servers send it", SPLITTER_LIST,
      LIST_HEAD "\"items\":[{\"a\":1},{\"b\":[]}]}\n",
      "{\"a\":1}|{\"b\":[]}|PodList v1 rv=42 continue= items=2" },
    { "A6: a page with no items and a token", SPLITTER_LIST,
      "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\","
      "\"continue\":"
      "\"eyJ\\u0032\",\"remainingItemCount\":9},\"items\":[]}",
      "PodList v1 rv=7 continue=eyJ2 items=0" },
    { "items may be null", SPLITTER_LIST, LIST_HEAD "\"items\":null}",
      "PodList v1 rv=42 continue= items=0" },
    { "members in any order, unknown ones between", SPLITTER_LIST,
      " { \"extra\" : [1,{\"items\":[{}]}] , \"items\" : [ {\"x\":1} , {\"y\":2} ] , "
      "\"n\":-1.5e3,\"t\":true,"
      "\"metadata\" : {\"resourceVersion\":\"1\"} , \"apiVersion\":\"apps/v1\", "
      "\"kind\":\"DeploymentList\" } ",
      "{\"x\":1}|{\"y\":2}|DeploymentList apps/v1 rv=1 continue= items=2" },
    { "A13: a list without a version is told so", SPLITTER_LIST,
      "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[]}",
      "PodList v1 rv= continue= items=0" },
    { "A10: {} is no list", SPLITTER_LIST, "{}", "error -1" },
    { "A10: a Table is no list", SPLITTER_LIST,
      "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/"
      "v1\",\"metadata\":{\"resourceVersion\":\"1\"},"
      "\"rows\":[{\"object\":{}}]}",
      "error -1" },
    { "A10: a Status is no list", SPLITTER_LIST,
      "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\"}",
      "error -1" },
    { "A10: HTML is no list", SPLITTER_LIST, "<html><body>Bad Gateway", "error -1" },
    { "no kind is no list", SPLITTER_LIST,
      "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}", "error -1" },
    { "finding 3: no items is no list", SPLITTER_LIST,
      "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"1\"}}",
      "error -1" },
    { "finding 3: no metadata is no list", SPLITTER_LIST,
      "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[{}]}", "{}|error -1" },
    { "finding 3: a clean HTTP end within items is a cut", SPLITTER_LIST,
      LIST_HEAD "\"items\":[{\"a\":1},{\"b\":2}", "{\"a\":1}|{\"b\":2}|error -3" },
    { "finding 3: a clean HTTP end after items is a cut", SPLITTER_LIST,
      LIST_HEAD "\"items\":[{\"a\":1}]", "{\"a\":1}|error -3" },
    { "an empty body is a cut", SPLITTER_LIST, "", "error -3" },
    { "something after the list is refused", SPLITTER_LIST, LIST_HEAD "\"items\":[]}{}",
      "error -1" },
    { "an item that is no object is refused", SPLITTER_LIST, LIST_HEAD "\"items\":[1]}",
      "error -1" },
    { "a comma too many is refused", SPLITTER_LIST, LIST_HEAD "\"items\":[{},]}", "{}|error -1" },
    { "a comma too few is refused", SPLITTER_LIST, LIST_HEAD "\"items\":[{}{}]}", "{}|error -1" },
    { "items twice is refused", SPLITTER_LIST, LIST_HEAD "\"items\":[{}],\"items\":[]}",
      "{}|error -1" },
    { "an array is no list", SPLITTER_LIST, "[]", "error -1" },
    { "a member without value is refused", SPLITTER_LIST, "{\"kind\":,\"items\":[]}", "error -1" },
};

TEST(every_body_gives_the_same_however_it_is_cut)
{
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        size_t len = strlen(bodies[i].body);

        for (size_t first = 0; first <= len; first++) {
            size_t pieces[] = { 1, 3, len + 1 };

            for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
                char *outcome = run(bodies[i].mode, bodies[i].body, len, first, pieces[p], 0);

                CHECK_STR(bodies[i].fact, outcome, bodies[i].outcome);
                free(outcome);
            }
        }
    }
}

TEST(a_value_over_the_ceiling_is_passed_over_and_the_rest_goes_on)
{
    const char *stream = "{\"a\":1}\n{\"b\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n{\"c\":1}\n";
    const char *list =
        LIST_HEAD "\"items\":[{\"a\":1},{\"b\":\"xxxxxxxxxxxxxxxxxxxxxxxxxx\"},{\"c\":1}]}";

    for (size_t first = 0; first <= strlen(stream); first++) {
        char *outcome = run(SPLITTER_WATCH, stream, strlen(stream), first, 7, 20);

        CHECK_STR("in a watch", outcome, "{\"a\":1}|{\"c\":1}| too large 44");
        free(outcome);
    }
    for (size_t first = 0; first <= strlen(list); first++) {
        char *outcome = run(SPLITTER_LIST, list, strlen(list), first, 7, 20);

        CHECK_STR("in a list, where it still counts as an item", outcome,
                  "{\"a\":1}|{\"c\":1}|PodList v1 rv=42 continue= items=3 too large 34");
        free(outcome);
    }
}

TEST(a_long_scalar_or_key_is_not_held)
{
    struct buf body;
    char *outcome;

    buf_init(&body, 1 << 22);
    buf_adds(&body, "{\"");
    for (unsigned i = 0; i < 200000; i++) {
        buf_adds(&body, "k");
    }
    buf_adds(&body, "\":1,\"other\":\"");
    for (unsigned i = 0; i < 200000; i++) {
        buf_adds(&body, "v");
    }
    buf_adds(&body,
             "\",\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
    outcome = run(SPLITTER_LIST, body.data, body.len, 0, 1000, 0);
    CHECK_STR("unknown members of any length", outcome, "PodList  rv=1 continue= items=0");
    free(outcome);
    buf_reset(&body);
    buf_adds(&body, "{\"metadata\":{\"continue\":\"");
    for (unsigned i = 0; i < 300000; i++) {
        buf_adds(&body, "v");
    }
    buf_adds(&body, "\"}}");
    outcome = run(SPLITTER_LIST, body.data, body.len, 0, 1000, 0);
    CHECK_STR("but metadata has a ceiling", outcome, "error -5");
    free(outcome);
    buf_deinit(&body);
}

TEST(the_sink_can_stop_it)
{
    struct seen seen = { .stop_at = 2 };
    const struct splitter_sink sink = { &seen, take, pass };
    struct splitter *s = splitter_create(&sink, 0, false);
    const char *stream = "{\"a\":1}{\"b\":1}{\"c\":1}";
    struct error err = { 0 };

    buf_init(&seen.text, 1000);
    splitter_begin(s, SPLITTER_WATCH);
    CHECK_INT("its code comes back", splitter_feed(s, stream, strlen(stream), &err), NA_ECANCELED);
    CHECK_INT("nothing more was handed on", seen.values, 2);
    splitter_begin(s, SPLITTER_WATCH);
    CHECK_INT("and it can begin anew", splitter_feed(s, "{}", 2, &err), 0);
    splitter_destroy(s);
    buf_deinit(&seen.text);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(every_body_gives_the_same_however_it_is_cut),
              cmocka_unit_test(a_value_over_the_ceiling_is_passed_over_and_the_rest_goes_on),
              cmocka_unit_test(a_long_scalar_or_key_is_not_held),
              cmocka_unit_test(the_sink_can_stop_it));
}
