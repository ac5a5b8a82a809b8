/* PeerAuthentication: what the schema of Istio 1.31 refuses beyond what makes a stored one
 * malformed in the decoder. */
#include "cluster/manifest_check.h"

void check_peer_authentication(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "spec"), *ports_at = FIELD(at, "portLevelMtls");
    const cJSON *spec = check_mapping(c->tree, "spec");
    const cJSON *selector = check_mapping(spec, "selector");
    const cJSON *labels = check_mapping(selector, "matchLabels");
    const cJSON *ports = check_mapping(spec, "portLevelMtls");

    check_labels(c, selector, FIELD(at, "selector"), "matchLabels");
    if (ports == NULL) {
        return;
    }
    if (ports->child == NULL) {
        check_error(c, ports, ports_at, "must not be empty");
    } else if (labels == NULL || labels->child == NULL) {
        check_error(c, ports, ports_at, "needs a selector with matchLabels");
    }
}
