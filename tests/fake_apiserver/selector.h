/* Label and field selectors in the query-string grammar of the API. */
#ifndef FAKE_SELECTOR_H
#define FAKE_SELECTOR_H

#include "object.h"

struct requirement;
struct selector {
    struct requirement *reqs;
    size_t n;
};

/* Label selector. False with a sentence in *why (the caller frees it) when it cannot be parsed. */
bool selector_parse_labels(const char *text, struct selector *out, char **why);
/* Field selector of one kind: only the fields that kind offers. */
bool selector_parse_fields(const char *text, const struct kind *kind, struct selector *out,
                           char **why);
void selector_free(struct selector *sel);
bool selector_matches_labels(const struct selector *sel, const struct object *o);
bool selector_matches_fields(const struct selector *sel, const struct object *o);

#endif
