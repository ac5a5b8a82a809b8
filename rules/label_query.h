/* Label selectors as people write them on a command line: "app=web,tier!=db,env in (a,b),!canary".
 */
#ifndef NETAUDITD_RULES_LABEL_QUERY_H
#define NETAUDITD_RULES_LABEL_QUERY_H

#include "base/error.h"
#include "cluster/selector.h"

/* 0: *out is the caller's, to be given to selector_destroy. NA_EINVAL with a sentence; *out is then
 * untouched. The empty text selects everything. */
int label_query_parse(const char *text, struct selector **out, struct error *err);

#endif
