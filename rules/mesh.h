/* Service meshes: is there one, and does a workload accept plain text (SEMANTICS 6)? */
#ifndef NETAUDITD_RULES_MESH_H
#define NETAUDITD_RULES_MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"

/* Namespaces (by annotation) and pod classes (by annotation or proxy) that say that Linkerd is in
 * use. */
uint32_t linkerd_users(const struct cluster *c);
bool namespace_uses_linkerd(const struct object *ns); /* NULL: no */
bool class_uses_linkerd(const struct pod_class *pc);

enum mesh_word {
    MESH_STRICT,     /* plain text is refused on every port */
    MESH_OUTSIDE,    /* the pods are in no mesh */
    MESH_PERMISSIVE, /* plain text is accepted */
    MESH_PORT,       /* plain text is accepted on some port */
    MESH_UNKNOWN
};
struct mesh_answer {
    enum mesh_word word;
    const struct peer_authentication *decided_by; /* NULL: the default, or not Istio */
    const char *mode;                             /* NULL, or what was found: "PERMISSIVE", ... */
    uint16_t port;                                /* PORT */
    const char *why;                              /* UNKNOWN */
};

/* Istio: which mode the PeerAuthentications leave the pods of the class in. `root`: the mesh's root
 * namespace. */
void istio_mtls(const struct cluster *c, const char *root, const struct pod_class *pc,
                struct mesh_answer *out);
/* In Istio's mesh, by sidecar or ambient; without pods, as injection would make them. */
bool istio_has(const struct pod_class *pc);

/* Linkerd: by the effective default-inbound-policy of pod, then namespace. */
void linkerd_mtls(const struct pod_class *pc, struct mesh_answer *out);
bool linkerd_has(const struct pod_class *pc);

#endif
