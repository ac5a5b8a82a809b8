/* A cJSON tree on paper, as JSON or as block YAML. */
#ifndef NETAUDITD_FRONT_TREE_H
#define NETAUDITD_FRONT_TREE_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "base/buf.h"

/* Whether YAML readers take `text`, unquoted, for this text and nothing else. */
bool yaml_is_plain(const char *text);

/* With a final newline. Depth at most 32: deeper parts are printed as JSON in one line. NA_EIO when
 * `out` cannot be written. */
int tree_print(const cJSON *root, bool yaml, FILE *out);

#endif
