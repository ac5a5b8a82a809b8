#include "rules/label_value.h"

#include <string.h>

void label_variable_deinit(struct label_variable *v)
{
    vec_free(&v->named);
}

bool label_is_namespace_name(enum label_space space, const struct str *key)
{
    return space == LABELS_OF_NAMESPACE && strcmp(key->text, "kubernetes.io/metadata.name") == 0;
}

static bool names(struct str *const *values, uint32_t count, const struct str *value)
{
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] == value) {
            return true;
        }
    }
    return false;
}

bool label_value_satisfies(const struct label_value *v, enum selector_op op,
                           struct str *const *values, uint32_t count)
{
    switch (op) {
    case SELECTOR_EXISTS:
        return v->state != LABEL_ABSENT;
    case SELECTOR_DOES_NOT_EXIST:
        return v->state == LABEL_ABSENT;
    case SELECTOR_IN:
        return v->state == LABEL_NAMED && names(values, count, v->named);
    case SELECTOR_NOT_IN:
        break;
    }
    return v->state != LABEL_NAMED || !names(values, count, v->named);
}

bool label_variable_candidate(const struct label_variable *v, size_t candidate,
                              struct label_value *out)
{
    if (candidate == 0) {
        *out = (struct label_value){ v->always ? LABEL_OTHER : LABEL_ABSENT, NULL };
        return true;
    }
    if (candidate == 1) {
        *out = (struct label_value){ LABEL_OTHER, NULL };
        return true;
    }
    if (candidate - 2 >= v->named.len) {
        return false;
    }
    *out = (struct label_value){ LABEL_NAMED, v->named.items[candidate - 2] };
    return true;
}
