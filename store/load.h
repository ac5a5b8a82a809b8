/* Reading back what the file remembers, at start. */
#ifndef NETAUDITD_STORE_LOAD_H
#define NETAUDITD_STORE_LOAD_H

#include "store/db.h"
#include "store/names.h"
#include "store/sink.h"

int load_names(struct db *db, struct names *names, struct error *err);
int load_life(struct db *db, const struct names *names, const struct store_loader *loader,
              uint32_t max_resolved, struct error *err);

#endif
