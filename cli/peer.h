/* A peer as people name it: a pod, a workload, an address. */
#ifndef NETAUDITD_CLI_PEER_H
#define NETAUDITD_CLI_PEER_H

#include "base/buf.h"
#include "cli/input.h"

struct peer_pod { /* one pod, or the template of a workload without pods, or an address outside */
    const struct pod_class *pod_class; /* NULL: outside */
    const char *name;                  /* of the pod; NULL for a template or outside */
    struct address_range addresses[POD_IPS_MAX];
    uint32_t address_count;
};

struct cli_peer {
    const struct workload *workload; /* NULL: outside */
    bool whole;                      /* all pods of the workload are meant */
    char title[700];                 /* "ns/name[Kind]", "192.0.2.1" */
    VEC(struct peer_pod) pods;
};

/* `option` is named in the sentence. 0, or EXIT_USAGE after one. */
int cli_peer_find(const struct cli *cli, const struct cli_input *in, const char *option,
                  const char *text, struct cli_peer *out);
void cli_peer_deinit(struct cli_peer *p);
/* For the engine; borrows from `p`. */
struct reach_peer cli_peer_of(const struct peer_pod *p);
bool cli_peer_same_pod(const struct peer_pod *a, const struct peer_pod *b);

#endif
