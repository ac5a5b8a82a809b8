/* An earlier JSON output of scan: which findings were there already. */
#ifndef NETAUDITD_CLI_BASELINE_H
#define NETAUDITD_CLI_BASELINE_H

#include "base/error.h"
#include "front/finding.h"

/* Marks every row as new or known. Errors: the file cannot be read, or is no such output (a
 * sentence with the place). The file is at most 256 MiB. */
int baseline_mark(struct finding_list *list, const char *path, struct error *err);

#endif
