/* A big believable cluster out of numbers: same numbers, same bytes. */
#ifndef FAKE_GENERATE_H
#define FAKE_GENERATE_H

#include "fake.h"

struct seed {
    uint64_t seed;
    size_t namespaces, pods, services, networkpolicies, ingresses, deployments, secrets, pod_bytes;
    bool managed_fields;
};

#define SEED_DEFAULT                                                                               \
    {                                                                                              \
        .seed = 1, .pod_bytes = 14400, .managed_fields = true                                      \
    }

/* Number of objects created; what exists already under a generated name is left as it is. */
size_t generate(struct fake *f, const struct seed *s);
void generate_deinit(void);

/* ---- pods: generate_pod.c ---- */

struct pod_template;

/* A set of pods alike: what its pods share. */
struct workload {
    const struct pod_template *tpl;
    char ns[64], app[64], hash[12], owner[96], owner_uid[37], node[32];
    char *labels, *fields; /* blocks for selectors */
    char *labels_json;     /* members of metadata.labels */
    uint64_t salt;
};

#define TIERS 6
extern const char *const tier_names[TIERS];

const struct pod_template *pod_template(size_t tier, size_t bytes, bool managed_fields);
void pod_templates_free(void);
void pod_name(const struct workload *w, uint32_t index, struct buf *out);
void pod_render(const struct object *o, struct buf *out);
void seeded_uuid(uint64_t a, uint64_t b, char out[37]);
uint64_t mix(uint64_t x);

#endif
