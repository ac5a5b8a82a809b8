/* Generated pods are kept as a template and a few numbers, and become JSON when somebody reads
 * them: 150,000 pods of 14.4 KB would be 2 GB, their templates are a few hundred KB. A template is
 * text with holes, cut into segments once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

const char *const tier_names[TIERS] = { "web", "api", "db", "cache", "worker", "agent" };

enum hole {
    HOLE_END,
    HOLE_NAME = 1,
    HOLE_OWNER,
    HOLE_NS,
    HOLE_UID,
    HOLE_RV,
    HOLE_CREATED,
    HOLE_LABELS,
    HOLE_STAMP,
    HOLE_OWNER_UID = 11, /* 9 and 10 are white space */
    HOLE_NODE,
    HOLE_IP = 14,
    HOLE_RESTARTS,
    HOLE_APP
};

struct segment {
    size_t off, len;
    enum hole hole; /* behind the text */
};

struct pod_template {
    struct pod_template *next;
    size_t tier, bytes;
    bool managed;
    struct buf text;
    struct segment *segs;
    size_t n;
};

static struct pod_template *templates;

uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void seeded_uuid(uint64_t a, uint64_t b, char out[37])
{
    uint64_t hi = mix(a ^ mix(b));
    uint64_t lo = mix(hi ^ b);

    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(hi >> 32),
             (unsigned)(hi >> 16) & 0xffff, (unsigned)hi & 0xfff,
             (unsigned)(0x8000 | ((lo >> 48) & 0x3fff)),
             (unsigned long long)(lo & 0xffffffffffffu));
}

static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";

void pod_name(const struct workload *w, uint32_t index, struct buf *out)
{
    uint64_t r = mix(w->salt + index);

    buf_str(out, w->owner);
    buf_add(out, "-", 1);
    /* Three letters of the index keep names apart, two of chance keep them lively. */
    for (int i = 0; i < 3; i++) {
        buf_add(out, &letters[index % 27], 1);
        index /= 27;
    }
    buf_add(out, &letters[r % 27], 1);
    buf_add(out, &letters[r / 27 % 27], 1);
}

static void managed_fields(struct buf *b, size_t env)
{
    buf_str(b,
            ",\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\","
            "\"apiVersion\":\"v1\",\"time\":\"\x06\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{"
            "\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:checksum/config\":{}},"
            "\"f:generateName\":{},\"f:labels\":{\".\":{},\"f:app\":{},\"f:pod-template-hash\":{},"
            "\"f:tier\":{},\"f:version\":{}},\"f:ownerReferences\":{\".\":{},"
            "\"k:{\\\"uid\\\":\\\"\x0b\\\"}\":{}}},\"f:spec\":{\"f:affinity\":{\".\":{},"
            "\"f:podAntiAffinity\":{\".\":{},\"f:preferredDuringSchedulingIgnoredDuringExecution\":"
            "{}}},"
            "\"f:containers\":{\"k:{\\\"name\\\":\\\"main\\\"}\":{\".\":{},\"f:env\":{\".\":{}");
    for (size_t i = 0; i < env; i++) {
        buf_fmt(b,
                ",\"k:{\\\"name\\\":\\\"APP_SETTING_%03zu\\\"}\":{\".\":{},\"f:name\":{},\"f:"
                "value\":{}}",
                i);
    }
    buf_str(
        b,
        "},\"f:image\":{},\"f:imagePullPolicy\":{},\"f:livenessProbe\":{\".\":{},"
        "\"f:failureThreshold\":{},\"f:httpGet\":{\".\":{},\"f:path\":{},\"f:port\":{},"
        "\"f:scheme\":{}},\"f:periodSeconds\":{},\"f:successThreshold\":{},\"f:timeoutSeconds\":{}}"
        ","
        "\"f:name\":{},\"f:ports\":{\".\":{},\"k:{\\\"containerPort\\\":8080,\\\"protocol\\\":"
        "\\\"TCP\\\"}\":{\".\":{},\"f:containerPort\":{},\"f:name\":{},\"f:protocol\":{}}},"
        "\"f:readinessProbe\":{\".\":{},\"f:failureThreshold\":{},\"f:httpGet\":{\".\":{},"
        "\"f:path\":{},\"f:port\":{},\"f:scheme\":{}}},\"f:resources\":{\".\":{},\"f:limits\":{"
        "\".\":{},\"f:cpu\":{},\"f:memory\":{}},\"f:requests\":{\".\":{},\"f:cpu\":{},"
        "\"f:memory\":{}}},\"f:securityContext\":{},\"f:terminationMessagePath\":{},"
        "\"f:terminationMessagePolicy\":{},\"f:volumeMounts\":{\".\":{},\"k:{\\\"mountPath\\\":"
        "\\\"/etc/config\\\"}\":{\".\":{},\"f:mountPath\":{},\"f:name\":{}}}}},\"f:dnsPolicy\":{},"
        "\"f:enableServiceLinks\":{},\"f:restartPolicy\":{},\"f:schedulerName\":{},"
        "\"f:securityContext\":{},\"f:serviceAccount\":{},\"f:serviceAccountName\":{},"
        "\"f:terminationGracePeriodSeconds\":{},\"f:volumes\":{\".\":{},\"k:{\\\"name\\\":"
        "\\\"config\\\"}\":{\".\":{},\"f:configMap\":{\".\":{},\"f:defaultMode\":{},\"f:name\":{}},"
        "\"f:name\":{}}}}}},{\"manager\":\"kubelet\",\"operation\":\"Update\",\"apiVersion\":"
        "\"v1\","
        "\"time\":\"\x06\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:status\":{\"f:"
        "conditions\":{"
        "\"k:{\\\"type\\\":\\\"ContainersReady\\\"}\":{\".\":{},\"f:lastProbeTime\":{},"
        "\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}},\"k:{\\\"type\\\":"
        "\\\"Ready\\\"}\":"
        "{\".\":{},\"f:lastProbeTime\":{},\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}"
        "}},"
        "\"f:containerStatuses\":{},\"f:hostIP\":{},\"f:phase\":{},\"f:podIP\":{},\"f:podIPs\":{},"
        "\"f:startTime\":{}}},\"subresource\":\"status\"}]");
}

static void spec(struct buf *b, size_t tier, size_t env)
{
    bool agent = strcmp(tier_names[tier], "agent") == 0;
    bool db = strcmp(tier_names[tier], "db") == 0;

    buf_str(
        b,
        "},\"spec\":{\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"\x10-config\","
        "\"defaultMode\":420}},{\"name\":\"kube-api-access\",\"projected\":{\"sources\":[{"
        "\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{"
        "\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}}],"
        "\"defaultMode\":420}}],\"containers\":[{\"name\":\"main\",\"image\":\"registry.example."
        "com/\x10"
        ":v3\",");
    buf_fmt(b,
            "\"ports\":[{\"name\":\"http\",%s\"containerPort\":8080,\"protocol\":\"TCP\"},"
            "{\"name\":\"metrics\",%s\"containerPort\":%d,\"protocol\":\"TCP\"}],\"env\":[",
            agent ? "\"hostPort\":8080," : "", agent ? "\"hostPort\":9100," : "", db ? 5432 : 9100);
    for (size_t i = 0; i < env; i++) {
        buf_fmt(b, "%s{\"name\":\"APP_SETTING_%03zu\",\"value\":\"value-of-setting-%03zu\"}",
                i > 0 ? "," : "", i, i);
    }
    buf_str(
        b,
        "],\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"256Mi\"},\"requests\":{\"cpu\":"
        "\"100m\",\"memory\":\"128Mi\"}},\"volumeMounts\":[{\"name\":\"config\",\"mountPath\":"
        "\"/etc/config\"},{\"name\":\"kube-api-access\",\"readOnly\":true,\"mountPath\":"
        "\"/var/run/secrets/kubernetes.io/"
        "serviceaccount\"}],\"livenessProbe\":{\"httpGet\":{\"path\":"
        "\"/"
        "healthz\",\"port\":\"http\",\"scheme\":\"HTTP\"},\"timeoutSeconds\":1,\"periodSeconds\":"
        "10,"
        "\"successThreshold\":1,\"failureThreshold\":3},\"readinessProbe\":{\"httpGet\":{\"path\":"
        "\"/"
        "ready\",\"port\":\"http\",\"scheme\":\"HTTP\"},\"timeoutSeconds\":1,\"periodSeconds\":10,"
        "\"successThreshold\":1,\"failureThreshold\":3},\"terminationMessagePath\":"
        "\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":"
        "\"IfNotPresent\",\"securityContext\":{\"allowPrivilegeEscalation\":false}}],"
        "\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":"
        "\"ClusterFirst\",\"serviceAccountName\":\"default\",\"serviceAccount\":\"default\",");
    buf_fmt(b, "\"nodeName\":\"\x0c\",%s", agent ? "\"hostNetwork\":true," : "");
    buf_str(
        b,
        "\"securityContext\":{},\"affinity\":{\"podAntiAffinity\":{"
        "\"preferredDuringSchedulingIgnoredDuringExecution\":[{\"weight\":100,\"podAffinityTerm\":{"
        "\"labelSelector\":{\"matchLabels\":{\"app\":\"\x10\"}},\"topologyKey\":"
        "\"kubernetes.io/hostname\"}}]}},\"schedulerName\":\"default-scheduler\",\"tolerations\":[{"
        "\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\","
        "\"tolerationSeconds\":300},{\"key\":\"node.kubernetes.io/"
        "unreachable\",\"operator\":\"Exists\","
        "\"effect\":\"NoExecute\",\"tolerationSeconds\":300}],\"priority\":0,"
        "\"enableServiceLinks\":"
        "true,\"preemptionPolicy\":\"PreemptLowerPriority\"}");
}

static void status(struct buf *b)
{
    static const char *const conditions[] = { "PodReadyToStartContainers", "Initialized", "Ready",
                                              "ContainersReady", "PodScheduled" };

    buf_str(b, ",\"status\":{\"phase\":\"Running\",\"conditions\":[");
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        buf_fmt(b,
                "%s{\"type\":\"%s\",\"status\":\"True\",\"lastProbeTime\":null,"
                "\"lastTransitionTime\":\"\x06\"}",
                i > 0 ? "," : "", conditions[i]);
    }
    buf_str(
        b,
        "],\"hostIP\":\"172.18.0.2\",\"hostIPs\":[{\"ip\":\"172.18.0.2\"}],\"podIP\":\"\x0e\","
        "\"podIPs\":"
        "[{\"ip\":\"\x0e\"}],\"startTime\":\"\x06\",\"containerStatuses\":[{\"name\":\"main\","
        "\"state\":{"
        "\"running\":{\"startedAt\":\"\x06\"}},\"lastState\":{},\"ready\":true,\"restartCount\":"
        "\x0f,"
        "\"image\":\"registry.example.com/\x10:v3\",\"imageID\":\"registry.example.com/\x10@sha256:"
        "0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53c9b31\",\"started\":true}],"
        "\"qosClass\":\"Burstable\"}}");
}

static void write_text(struct buf *b, size_t tier, size_t env, size_t pad, bool managed)
{
    b->len = 0;
    buf_str(b,
            "{\"metadata\":{\"name\":\"\x01\",\"generateName\":\"\x02-\",\"namespace\":\"\x03\","
            "\"uid\":"
            "\"\x04\",\"resourceVersion\":\"\x05\",\"generation\":1,\"creationTimestamp\":\"\x06\","
            "\"labels\":{\x07},\"annotations\":{\"checksum/config\":\"");
    memset(buf_reserve(b, pad), 'c', pad);
    b->len += pad;
    buf_str(
        b,
        "\"\x08},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":"
        "\"\x02\",\"uid\":\"\x0b\",\"controller\":true,\"blockOwnerDeletion\":true}]");
    if (managed) {
        managed_fields(b, env);
    }
    spec(b, tier, env);
    status(b);
}

#define HOLES_BYTES 560 /* what the holes of a typical pod add */

static void cut(struct pod_template *t)
{
    size_t from = 0;

    for (size_t i = 0; i <= t->text.len; i++) {
        unsigned char c = i < t->text.len ? (unsigned char)t->text.data[i] : 0;

        if (i == t->text.len || c < 0x20) {
            t->segs = xrealloc(t->segs, (t->n + 1) * sizeof(*t->segs));
            t->segs[t->n++] = (struct segment){ from, i - from, (enum hole)c };
            from = i + 1;
        }
    }
}

const struct pod_template *pod_template(size_t tier, size_t bytes, bool managed)
{
    struct pod_template *t;
    size_t base, per_env, env = 0, pad = 64;

    for (t = templates; t != NULL; t = t->next) {
        if (t->tier == tier && t->bytes == bytes && t->managed == managed) {
            return t;
        }
    }
    t = xcalloc(1, sizeof(*t));
    t->tier = tier;
    t->bytes = bytes;
    t->managed = managed;
    write_text(&t->text, tier, 0, pad, managed);
    base = t->text.len + HOLES_BYTES;
    write_text(&t->text, tier, 10, pad, managed);
    per_env = (t->text.len + HOLES_BYTES - base) / 10;
    if (bytes > base + per_env) {
        env = (bytes - base) / per_env;
        env = env > 900 ? 900 : env;
        write_text(&t->text, tier, env, pad, managed);
        pad += bytes > t->text.len + HOLES_BYTES ? bytes - t->text.len - HOLES_BYTES : 0;
    }
    write_text(&t->text, tier, env, pad, managed);
    cut(t);
    t->next = templates;
    templates = t;
    return t;
}

void pod_templates_free(void)
{
    while (templates != NULL) {
        struct pod_template *t = templates;

        templates = t->next;
        buf_free(&t->text);
        free(t->segs);
        free(t);
    }
}

static void created_at(const struct object *o, char out[24])
{
    uint64_t s = mix(((const struct workload *)o->gen)->salt) % 86400;

    s = (s + o->gen_index) % 86400;
    snprintf(out, 24, "2026-11-20T%02u:%02u:%02uZ", (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
             (unsigned)(s % 60));
}

void pod_render(const struct object *o, struct buf *out)
{
    const struct workload *w = o->gen;
    const struct pod_template *t = w->tpl;
    uint64_t r = mix(w->salt ^ (o->gen_index + 1));
    char created[24];

    created_at(o, created);
    buf_reserve(out, t->text.len + 2048);
    for (size_t i = 0; i < t->n; i++) {
        const struct segment *s = &t->segs[i];

        buf_add(out, t->text.data + s->off, s->len);
        switch (s->hole) {
        case HOLE_NAME:
            buf_str(out, o->key + o->ns_len + 1);
            break;
        case HOLE_OWNER:
            buf_str(out, w->owner);
            break;
        case HOLE_NS:
            buf_str(out, w->ns);
            break;
        case HOLE_UID:
            buf_str(out, o->uid);
            break;
        case HOLE_RV:
            buf_u64(out, o->rv);
            break;
        case HOLE_CREATED:
            buf_add(out, created, 20);
            break;
        case HOLE_LABELS:
            buf_str(out, w->labels_json);
            break;
        case HOLE_STAMP:
            if (o->stamp_ns > 0) {
                buf_str(out, ",\"fake.netauditd.io/at\":\"");
                buf_u64(out, o->stamp_ns);
                buf_str(out, "\"");
            }
            break;
        case HOLE_OWNER_UID:
            buf_str(out, w->owner_uid);
            break;
        case HOLE_NODE:
            buf_str(out, w->node);
            break;
        case HOLE_IP:
            buf_fmt(out, "10.%u.%u.%u", (unsigned)(r % 64 + 128), (unsigned)(r / 64 % 254),
                    (unsigned)(r / 16256 % 254 + 1));
            break;
        case HOLE_RESTARTS:
            buf_u64(out, o->touches);
            break;
        case HOLE_APP:
            buf_str(out, w->app);
            break;
        case HOLE_END:
            break;
        }
    }
}
