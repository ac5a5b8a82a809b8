/* Facts of the cache, one by one: which event says what, who owns a pod, what a relist does, what a
 * swap of labels in selectors does. The random histories are in test_cluster_model.c. */
#include "tests/check.h"

#include "tests/cluster/cluster_text.h"

/* ---- a cache that writes down what it says
 * -------------------------------------------------------- */

static struct buf heard;
static struct cluster *c;

static void hear(void *ctx, const struct delta *d)
{
    static const char *const ops[] = { "+", "~", "-" };

    (void)ctx;
    buf_addf(&heard, "%s", heard.len > 0 ? " " : "");
    switch (d->what) {
    case DELTA_OBJECT:
        buf_addf(&heard, "%s%s", ops[d->op], kind_table[d->kind].name);
        break;
    case DELTA_WORKLOAD:
        buf_addf(&heard, "%sworkload:%s/%s", ops[d->op], d->workload->kind->text,
                 d->workload->name->text);
        break;
    case DELTA_CLASS:
        buf_addf(&heard, "%sclass:%s(%u)", ops[d->op], d->workload->name->text, d->pod_class->pods);
        break;
    case DELTA_NAMESPACE:
        buf_addf(&heard, "%sns:%s", ops[d->op], d->ns->name->text);
        break;
    case DELTA_KIND:
        buf_addf(&heard, "kind:%s=%s", kind_table[d->kind].name,
                 kind_state_name(cluster_kind(c, d->kind)->state));
        break;
    case DELTA_ADDRESSES:
        buf_adds(&heard, "addresses");
        break;
    }
}

static void start(void)
{
    buf_init(&heard, 1 << 20);
    c = cluster_create();
    cluster_on_delta(c, hear, NULL);
}

static void finish(void)
{
    cluster_destroy(c);
    buf_deinit(&heard);
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

static const char *said(void)
{
    static char text[4096];

    snprintf(text, sizeof(text), "%s", buf_text(&heard));
    buf_reset(&heard);
    return text;
}

static struct object *decode(enum kind kind, const char *json)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s\n%s\n", json, err.text);
        abort();
    }
    return obj;
}

static const char *json(const char *name, unsigned uid, unsigned rv, const char *metadata,
                        const char *rest)
{
    static char text[2][4096]; /* two at a time */
    static unsigned turn;

    turn ^= 1;
    snprintf(text[turn], sizeof(text[turn]),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"shop\",\"uid\":\"u%u\","
             "\"resourceVersion\":\"%u\"%s}%s}",
             name, uid, rv, metadata, rest);
    return text[turn];
}

#define OWNER(api, kind, name)                                                                     \
    ",\"ownerReferences\":[{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"name\":\"" name     \
    "\",\"uid\":\"o\",\"controller\":true}]"
#define LABELS(l) ",\"labels\":{" l "}"
#define RUNNING   ",\"status\":{\"phase\":\"Running\"}"
#define DONE      ",\"status\":{\"phase\":\"Succeeded\"}"
#define TEMPLATE                                                                                   \
    ",\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{}}}"
#define WEB_OF(rs)                                                                                 \
    LABELS("\"app\":\"web\",\"pod-template-hash\":\"h1\"") OWNER("apps/v1", "ReplicaSet", rs)

static void apply(enum kind kind, const char *text)
{
    cluster_apply(c, decode(kind, text), 10);
}

/* ---- events
 * ------------------------------------------------------------------------------------------ */

TEST(events_say_what_changed_and_nothing_else)
{
    start();
    apply(KIND_NAMESPACE,
          "{\"metadata\":{\"name\":\"shop\",\"uid\":\"n\",\"resourceVersion\":\"1\"}}");
    CHECK_STR("a namespace", said(), "+ns:shop +Namespace");
    apply(KIND_POD, json("web-h1-a", 1, 2, WEB_OF("web-h1"), RUNNING));
    CHECK_STR("its first pod", said(), "+workload:Deployment/web +class:web(1)");
    apply(KIND_POD, json("web-h1-b", 2, 3, WEB_OF("web-h1"), RUNNING));
    CHECK_STR("a second pod of the class", said(), "");
    apply(KIND_POD, json("web-h1-b", 2, 4, WEB_OF("web-h1"),
                         ",\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.0.0.1\"}]}"));
    CHECK_STR("its address", said(), "addresses");
    apply(KIND_DEPLOYMENT, json("web", 3, 5, "", TEMPLATE));
    CHECK_STR("the object of the workload, template and pods in one class", said(),
              "+Deployment ~workload:Deployment/web ~class:web(2)");
    apply(KIND_DEPLOYMENT, json("web", 3, 6, "", TEMPLATE));
    CHECK_STR("a new version of the same", said(), "");
    CHECK_STR("is noted",
              cluster_workload(c, "shop", "apps", "Deployment", "web")->resource_version->text,
              "6");
    apply(KIND_POD, json("web-h1-a", 1, 7, WEB_OF("web-h1"), DONE));
    CHECK_STR("a pod finishes", said(), "");
    apply(KIND_POD, json("web-h1-b", 2, 8, WEB_OF("web-h1"), DONE));
    CHECK_STR("the last pod finishes", said(), "~class:web(0) addresses");
    CHECK_INT("finished pods are pods still", cluster_pod_count(c), 2);
    cluster_delete(c, decode(KIND_DEPLOYMENT, json("web", 3, 9, "", TEMPLATE)), 11);
    CHECK_STR("the object goes, no pod is left", said(),
              "-Deployment -class:web(0) -workload:Deployment/web");
    cluster_delete(c, decode(KIND_POD, json("web-h1-a", 1, 9, "", "")), 11);
    cluster_delete(c, decode(KIND_POD, json("web-h1-b", 2, 9, "", "")), 11);
    CHECK_STR("finished pods go in silence", said(), "");
    cluster_delete(c, decode(KIND_NAMESPACE, "{\"metadata\":{\"name\":\"shop\",\"uid\":\"n\"}}"),
                   12);
    CHECK_STR("and the namespace", said(), "-Namespace -ns:shop");
    finish();
}

TEST(a_workload_outlives_its_object_while_it_has_pods)
{
    start();
    apply(KIND_DEPLOYMENT, json("web", 3, 5, "", TEMPLATE));
    CHECK_STR("scaled to zero it is there", said(),
              "+ns:shop +Deployment +workload:Deployment/web +class:web(0)");
    apply(KIND_DEPLOYMENT, json("web", 3, 6, LABELS("\"x\":\"y\""), TEMPLATE));
    CHECK_STR("its own labels are part of it", said(), "~Deployment ~workload:Deployment/web");
    apply(KIND_POD, json("web-h1-a", 1, 6, WEB_OF("web-h1"), RUNNING));
    CHECK_STR("its pod", said(), "~class:web(1)");
    cluster_delete(c, decode(KIND_DEPLOYMENT, json("web", 3, 7, "", "")), 11);
    CHECK_STR("the object goes", said(), "-Deployment ~workload:Deployment/web ~class:web(1)");
    CHECK("with its uid", cluster_workload(c, "shop", "apps", "Deployment", "web")->uid == NULL);
    cluster_delete(c, decode(KIND_POD, json("web-h1-a", 1, 8, "", "")), 11);
    CHECK_STR("the pod goes", said(), "-class:web(0) -workload:Deployment/web -ns:shop");
    finish();
}

TEST(old_repeated_and_misdirected_events_change_nothing)
{
    start();
    apply(KIND_POD, json("a", 1, 100, LABELS("\"x\":\"1\""), RUNNING));
    apply(KIND_SERVICE, json("s", 2, 100, LABELS("\"x\":\"1\""), ""));
    said();
    apply(KIND_POD, json("a", 1, 100, LABELS("\"x\":\"1\""), RUNNING));
    apply(KIND_SERVICE, json("s", 2, 100, LABELS("\"x\":\"1\""), ""));
    CHECK_STR("the same again (H4)", said(), "");
    apply(KIND_POD, json("a", 1, 99, LABELS("\"x\":\"0\""), RUNNING));
    apply(KIND_SERVICE, json("s", 2, 99, LABELS("\"x\":\"0\""), ""));
    CHECK_STR("older ones (B13)", said(), "");
    CHECK_INT("are counted", cluster_kind(c, KIND_POD)->stale_events, 1);
    CHECK_INT("per kind", cluster_kind(c, KIND_SERVICE)->stale_events, 1);
    cluster_delete(c, decode(KIND_POD, json("a", 9, 101, "", "")), 11);
    cluster_delete(c, decode(KIND_SERVICE, json("s", 9, 101, "", "")), 11);
    CHECK_STR("the end of a predecessor (B9)", said(), "");
    cluster_delete(c, decode(KIND_SERVICE, json("unknown", 9, 101, "", "")), 11);
    CHECK_STR("the end of something unknown", said(), "");
    finish();
}

TEST(versions_are_compared_by_length_and_bytes)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        { "9", "10", -1 },
        { "10", "9", 1 },
        { "10", "10", 0 },
        { "123456789012345678901234567890", "123456789012345678901234567891", -1 },
        { "0", "1", 0 },
        { "01", "2", 0 },
        { "abc", "1", 0 },
        { "", "1", 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(rows[i].a, version_compare(rows[i].a, rows[i].b), rows[i].order);
    }
}

TEST(pods_keep_versions_and_uids_of_any_form)
{
    static const char *const forms[][2] = {
        { "12", "6b1f0f3a-6a0c-4f0e-9d0f-0a1b2c3d4e5f" },
        { "123456789012345678901234567890", "not-a-uuid" },
        { "007", "6B1F0F3A-6A0C-4F0E-9D0F-0A1B2C3D4E5F" },
        { "x", "6b1f0f3a-6a0c-4f0e-9d0f-0a1b2c3d4e5g" },
    };
    char text[512], uid[POD_UID_TEXT], rv[POD_RV_TEXT];

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const struct ns_entry *e;
        const struct pod *pod;

        start();
        snprintf(text, sizeof(text),
                 "{\"metadata\":{\"name\":\"p\",\"namespace\":\"shop\",\"uid\":\"%s\","
                 "\"resourceVersion\":\"%s\"}}",
                 forms[i][1], forms[i][0]);
        apply(KIND_POD, text);
        e = (const struct ns_entry *)cluster_ns(c, "shop");
        pod = pod_find(e, "p", 1);
        CHECK_STR("the uid to the letter", pod_uid(pod, uid), forms[i][1]);
        CHECK_STR("the version to the letter", pod_rv(pod, rv), forms[i][0]);
        CHECK_STR("also of the workload",
                  cluster_workload(c, "shop", "", "Pod", "p")->resource_version->text, forms[i][0]);
        finish();
    }
}

TEST(another_uid_under_the_same_name_is_a_delete_and_a_create)
{
    start();
    apply(KIND_SERVICE, json("s", 1, 1, "", ""));
    apply(KIND_POD, json("a", 2, 2, LABELS("\"x\":\"1\""), RUNNING));
    apply(KIND_DEPLOYMENT, json("d", 3, 3, "", TEMPLATE));
    said();
    apply(KIND_SERVICE, json("s", 9, 4, "", ""));
    CHECK_STR("a Service", said(), "-Service +Service");
    apply(KIND_POD, json("a", 10, 5, LABELS("\"x\":\"1\""), RUNNING));
    CHECK_STR("a bare pod", said(), "-workload:Pod/a +workload:Pod/a");
    CHECK_STR("has its new uid", cluster_workload(c, "shop", "", "Pod", "a")->uid->text, "u10");
    apply(KIND_DEPLOYMENT, json("d", 11, 6, "", TEMPLATE));
    CHECK_STR("a Deployment", said(),
              "-Deployment +Deployment -workload:Deployment/d +workload:Deployment/d");
    finish();
}

TEST(a_bare_pod_that_is_being_deleted_says_so)
{
    start();
    apply(KIND_POD, json("a", 1, 1, "", RUNNING));
    said();
    apply(KIND_POD, json("a", 1, 2, ",\"deletionTimestamp\":\"2026-11-01T00:00:00Z\"", RUNNING));
    CHECK_STR("the workload changes", said(), "~workload:Pod/a");
    CHECK("deleting", cluster_workload(c, "shop", "", "Pod", "a")->deleting);
    apply(KIND_POD, json("b", 2, 3, OWNER("apps/v1", "StatefulSet", "db"), RUNNING));
    said();
    apply(KIND_POD, json("b", 2, 4,
                         OWNER("apps/v1", "StatefulSet",
                               "db") ",\"deletionTimestamp\":\"2026-11-01T00:00:00Z\"",
                         RUNNING));
    CHECK_STR("a pod among others does not", said(), "");
    finish();
}

/* ---- owners
 * --------------------------------------------------------------------------------------------- */

static const struct {
    const char *fact, *metadata, *workload;
} owners[] = {
    { "a bare pod stands for itself", "", "/v1/Pod/p" },
    { "a ReplicaSet with the hash leads to its Deployment", WEB_OF("web-h1"),
      "apps/v1/Deployment/web" },
    { "a ReplicaSet without the hash in its name stands for itself", WEB_OF("web-h2"),
      "apps/v1/ReplicaSet/web-h2" },
    { "a name that is only the hash is no Deployment", WEB_OF("-h1"), "apps/v1/ReplicaSet/-h1" },
    { "a pod without the label tells no hash", OWNER("apps/v1", "ReplicaSet", "web-h1"),
      "apps/v1/ReplicaSet/web-h1" },
    { "a Rollout by its own hash",
      LABELS("\"rollouts-pod-template-hash\":\"h1\"") OWNER("apps/v1", "ReplicaSet", "web-h1"),
      "argoproj.io/v1alpha1/Rollout/web" },
    { "a ReplicaSet of another group is another thing",
      LABELS("\"pod-template-hash\":\"h1\"") OWNER("x.io/v1", "ReplicaSet", "web-h1"),
      "x.io/v1/ReplicaSet/web-h1" },
    { "a StatefulSet", OWNER("apps/v1", "StatefulSet", "db"), "apps/v1/StatefulSet/db" },
    { "a DaemonSet", OWNER("apps/v1", "DaemonSet", "agent"), "apps/v1/DaemonSet/agent" },
    { "a ReplicationController", OWNER("v1", "ReplicationController", "rc"),
      "/v1/ReplicationController/rc" },
    { "an owner that we do not know", OWNER("kafka.io/v1", "Broker", "b"), "kafka.io/v1/Broker/b" },
    { "a mirror pod stands for itself", OWNER("v1", "Node", "node1"), "/v1/Pod/p" },
    { "an owner that is no controller owns nothing",
      ",\"ownerReferences\":[{\"apiVersion\":\"apps/"
      "v1\",\"kind\":\"StatefulSet\",\"name\":\"db\"}]",
      "/v1/Pod/p" },
    /* 2026-10-30T00:00Z is minute 29888640 */
    { "a Job of this minute is a CronJob's",
      ",\"creationTimestamp\":\"2026-10-30T00:00:05Z\"" OWNER("batch/v1", "Job", "c-29888640"),
      "batch/v1/CronJob/c" },
    { "an hour ahead it is",
      ",\"creationTimestamp\":\"2026-10-30T00:00:00Z\"" OWNER("batch/v1", "Job", "c-29888700"),
      "batch/v1/CronJob/c" },
    { "later it is not",
      ",\"creationTimestamp\":\"2026-10-30T00:00:00Z\"" OWNER("batch/v1", "Job", "c-29888701"),
      "batch/v1/Job/c-29888701" },
    { "a year before it is",
      ",\"creationTimestamp\":\"2026-10-30T00:00:00Z\"" OWNER("batch/v1", "Job", "c-29365000"),
      "batch/v1/CronJob/c" },
    { "longer ago it is not",
      ",\"creationTimestamp\":\"2026-10-30T00:00:00Z\"" OWNER("batch/v1", "Job", "c-28888640"),
      "batch/v1/Job/c-28888640" },
    { "a plain Job",
      ",\"creationTimestamp\":\"2026-10-30T00:00:00Z\"" OWNER("batch/v1", "Job", "migrate"),
      "batch/v1/Job/migrate" },
};

TEST(owners_are_followed_to_the_top)
{
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        char got[256] = "";
        struct ns *ns;

        start();
        apply(KIND_POD, json("p", 1, 1, owners[i].metadata, RUNNING));
        ns = cluster_ns(c, "shop");
        if (ns->workloads.len == 1) {
            const struct workload *w = ns->workloads.items[0];

            snprintf(got, sizeof(got), "%s/%s/%s/%s", w->group->text, w->version->text,
                     w->kind->text, w->name->text);
        }
        CHECK_STR(owners[i].fact, got, owners[i].workload);
        finish();
    }
}

#define BORN(second) ",\"creationTimestamp\":\"2026-10-30T00:00:0" second "Z\""
#define TEMPLATE_OF(value)                                                                         \
    ",\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"v\":\"" value "\"}},\"spec\":{}}}"

static const char *label_v(const struct workload *w)
{
    return w == NULL ? "no workload" : label_set_text(w->pod_labels, "v");
}

static const struct {
    const char *fact;
    enum kind kind;
    const char *name, *owner, *workload;
} middles[] = {
    { "a ReplicaSet goes to the Deployment it names", KIND_REPLICA_SET, "web-h1",
      OWNER("apps/v1", "Deployment", "web"), "apps/v1/Deployment/web" },
    { "whatever the two are called", KIND_REPLICA_SET, "x", OWNER("apps/v1", "Deployment", "web"),
      "apps/v1/Deployment/web" },
    { "a Job goes to the CronJob it names, whatever its suffix", KIND_JOB, "by-hand",
      OWNER("batch/v1", "CronJob", "nightly"), "batch/v1/CronJob/nightly" },
    { "a Job that names nothing stands for itself", KIND_JOB, "c-29888640", "",
      "batch/v1/Job/c-29888640" },
    { "a ReplicaSet that names nothing stands for itself", KIND_REPLICA_SET, "web-h1", "",
      "apps/v1/ReplicaSet/web-h1" },
    { "an owner of a kind that we do not know leaves it alone", KIND_REPLICA_SET, "web-h1",
      OWNER("x.io/v1", "Deployment", "web"), "apps/v1/ReplicaSet/web-h1" },
    { "an owner that is no controller owns nothing", KIND_REPLICA_SET, "web-h1",
      ",\"ownerReferences\":[{\"apiVersion\":\"apps/"
      "v1\",\"kind\":\"Deployment\",\"name\":\"web\"}]",
      "apps/v1/ReplicaSet/web-h1" },
};

TEST(in_files_a_named_owner_stands_even_where_it_is_absent)
{
    for (size_t i = 0; i < ARRAY_LEN(middles); i++) {
        char got[256] = "";
        struct ns *ns;

        start();
        apply(middles[i].kind, json(middles[i].name, 1, 1, middles[i].owner, TEMPLATE_OF("1")));
        ns = cluster_ns(c, "shop");
        if (ns->workloads.len == 1) {
            const struct workload *w = ns->workloads.items[0];

            snprintf(got, sizeof(got), "%s/%s/%s/%s", w->group->text, w->version->text,
                     w->kind->text, w->name->text);
            CHECK_STR("by the template that was lent", label_v(w), "1");
        }
        CHECK_STR(middles[i].fact, got, middles[i].workload);
        finish();
    }
}

TEST(in_files_pods_go_with_their_replica_set_to_an_absent_deployment)
{
    start();
    apply(KIND_POD, json("p", 1, 1, OWNER("apps/v1", "ReplicaSet", "web-h1"), RUNNING));
    CHECK("without the ReplicaSet nothing tells the Deployment",
          cluster_workload(c, "shop", "apps", "Deployment", "web") == NULL);
    apply(KIND_REPLICA_SET,
          json("web-h1", 2, 2, OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("1")));
    CHECK_INT("the pod is the Deployment's",
              cluster_workload(c, "shop", "apps", "Deployment", "web")->pods, 1);
    CHECK("and nobody else's", cluster_workload(c, "shop", "apps", "ReplicaSet", "web-h1") == NULL);
    finish();
}

TEST(in_files_the_youngest_replica_set_lends_its_template)
{
    static const char *const web[] = { "shop", "apps", "Deployment", "web" };
    const struct workload *w;

    start();
    apply(KIND_REPLICA_SET,
          json("web-h2", 1, 1, BORN("2") OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("2")));
    apply(KIND_REPLICA_SET,
          json("web-h1", 2, 2, BORN("1") OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("1")));
    w = cluster_workload(c, web[0], web[1], web[2], web[3]);
    CHECK_STR("an older one changes nothing", label_v(w), "2");
    apply(KIND_REPLICA_SET,
          json("web-h3", 3, 3, BORN("3") OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("3")));
    CHECK_STR("a younger one takes over", label_v(w), "3");
    apply(KIND_REPLICA_SET,
          json("web-h3", 3, 4, BORN("3") OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("4")));
    CHECK_STR("changed, it lends what it has now", label_v(w), "4");
    CHECK_INT("and what stood in for it meanwhile left no class",
              (long long)cluster_ns(c, "shop")->classes.len, 1);
    cluster_delete(c, decode(KIND_REPLICA_SET, json("web-h3", 3, 5, "", "")), 11);
    CHECK_STR("when it goes the next does", label_v(w), "2");
    apply(KIND_DEPLOYMENT, json("web", 4, 5, "", TEMPLATE_OF("own")));
    CHECK_STR("the Deployment itself needs none", label_v(w), "own");
    cluster_delete(c, decode(KIND_DEPLOYMENT, json("web", 4, 6, "", "")), 12);
    w = cluster_workload(c, web[0], web[1], web[2], web[3]);
    CHECK_STR("until it goes", label_v(w), "2");
    cluster_delete(c, decode(KIND_REPLICA_SET, json("web-h2", 1, 7, "", "")), 13);
    cluster_delete(c, decode(KIND_REPLICA_SET, json("web-h1", 2, 8, "", "")), 14);
    CHECK("without any there is no Deployment",
          cluster_workload(c, web[0], web[1], web[2], web[3]) == NULL);
    finish();
}

TEST(in_files_a_replica_set_gives_way_to_its_deployment)
{
    start();
    apply(KIND_REPLICA_SET,
          json("web-h1", 3, 3, OWNER("apps/v1", "Deployment", "web"), TEMPLATE_OF("1")));
    apply(KIND_POD, json("p", 1, 1, WEB_OF("web-h1"), RUNNING));
    apply(KIND_DEPLOYMENT, json("web", 2, 2, "", TEMPLATE));
    CHECK("it is no workload", cluster_workload(c, "shop", "apps", "ReplicaSet", "web-h1") == NULL);
    CHECK_INT("the pods are the Deployment's",
              cluster_workload(c, "shop", "apps", "Deployment", "web")->pods, 1);
    finish();
}

TEST(a_solver_is_one_only_when_a_challenge_owns_it)
{
    start();
    apply(KIND_POD, json("a", 1, 1,
                         LABELS("\"acme.cert-manager.io/http01-solver\":\"true\"")
                             OWNER("acme.cert-manager.io/v1", "Challenge", "ch"),
                         RUNNING));
    apply(KIND_POD,
          json("b", 2, 2, LABELS("\"acme.cert-manager.io/http01-solver\":\"true\""), RUNNING));
    apply(KIND_SERVICE, json("s", 3, 3, OWNER("acme.cert-manager.io/v1", "Challenge", "ch"), ""));
    CHECK("owned by a Challenge",
          cluster_workload(c, "shop", "acme.cert-manager.io", "Challenge", "ch")->acme_solver);
    CHECK("the label alone is nothing", !cluster_workload(c, "shop", "", "Pod", "b")->acme_solver);
    CHECK("its Service is told too", cluster_find(c, KIND_SERVICE, "shop", "s")->acme_owned);
    finish();
}

/* ---- labels that differ per pod
 * --------------------------------------------------------------------------- */

#define DB(n)                                                                                      \
    LABELS("\"app\":\"db\",\"statefulset.kubernetes.io/pod-name\":\"db-" #n                        \
           "\",\"apps.kubernetes.io/pod-index\":\"" #n "\"")                                       \
    OWNER("apps/v1", "StatefulSet", "db")

TEST(a_selector_that_names_a_per_pod_label_splits_the_class)
{
    const struct workload *w;
    const struct ns_entry *e;

    start();
    apply(KIND_POD, json("db-0", 1, 1, DB(0), RUNNING));
    apply(KIND_POD, json("db-1", 2, 2, DB(1), RUNNING));
    apply(KIND_POD, json("db-2", 3, 3, DB(2), RUNNING));
    w = cluster_workload(c, "shop", "apps", "StatefulSet", "db");
    CHECK_INT("one class", w->classes.len, 1);
    CHECK_INT("without the labels that tell pods apart", w->classes.items[0]->labels->count, 1);
    e = (const struct ns_entry *)cluster_ns(c, "shop");
    CHECK("one spec for all", pod_find(e, "db-0", 4)->spec == pod_find(e, "db-2", 4)->spec);
    said();
    apply(KIND_SERVICE,
          json("db-1", 4, 4, "",
               ",\"spec\":{\"selector\":{\"statefulset.kubernetes.io/pod-name\":\"db-1\"}}"));
    CHECK_INT("three classes when a Service names one", w->classes.len, 3);
    CHECK("with the label", label_set_text(w->classes.items[0]->labels,
                                           "statefulset.kubernetes.io/pod-name") != NULL);
    CHECK("and no other", w->classes.items[0]->labels->count == 2);
    cluster_delete(c, decode(KIND_SERVICE, json("db-1", 4, 5, "", "")), 11);
    CHECK_INT("one again when it goes", w->classes.len, 1);
    CHECK_INT("of all pods", w->classes.items[0]->pods, 3);
    finish();
}

#define REVISION "{\"matchLabels\":{\"controller-revision-hash\":\"x\"}}"

static const struct {
    const char *fact, *spec;
    unsigned here,
        there; /* labels that the pods' classes show in the policy's namespace and in another */
} naming[] = {
    { "the pods of the policy", "\"podSelector\":" REVISION, 1, 0 },
    { "an ingress peer nearby", "\"ingress\":[{\"from\":[{\"podSelector\":" REVISION "}]}]", 1, 0 },
    { "an egress peer nearby", "\"egress\":[{\"to\":[{\"podSelector\":" REVISION "}]}]", 1, 0 },
    { "an ingress peer anywhere",
      "\"ingress\":[{\"from\":[{\"namespaceSelector\":{},\"podSelector\":" REVISION "}]}]", 1, 1 },
    { "an egress peer anywhere",
      "\"egress\":[{\"to\":[{\"namespaceSelector\":{},\"podSelector\":" REVISION "}]}]", 1, 1 },
    { "another label", "\"podSelector\":{\"matchLabels\":{\"app\":\"x\"}}", 0, 0 },
};

static unsigned labels_shown(const char *ns)
{
    return cluster_workload(c, ns, "", "Pod", "p")->classes.items[0]->labels->count;
}

TEST(a_selector_counts_in_the_namespaces_that_it_reaches)
{
    for (size_t i = 0; i < ARRAY_LEN(naming); i++) {
        char spec[512];

        start();
        apply(KIND_POD, json("p", 1, 1, LABELS("\"controller-revision-hash\":\"x\""), RUNNING));
        apply(KIND_POD, "{\"metadata\":{\"name\":\"p\",\"namespace\":\"other\",\"uid\":\"u\","
                        "\"resourceVersion\":"
                        "\"1\",\"labels\":{\"controller-revision-hash\":\"x\"}}}");
        snprintf(spec, sizeof(spec), ",\"spec\":{%s}", naming[i].spec);
        apply(KIND_NETWORK_POLICY, json("np", 1, 2, "", spec));
        CHECK_INT(naming[i].fact, labels_shown("shop"), naming[i].here);
        CHECK_INT(naming[i].fact, labels_shown("other"), naming[i].there);
        cluster_delete(c, decode(KIND_NETWORK_POLICY, json("np", 1, 4, "", "")), 11);
        CHECK("and no more when it goes", labels_shown("shop") == 0 && labels_shown("other") == 0);
        finish();
    }
}

TEST(the_labels_of_a_workload_without_template_do_not_depend_on_history)
{
    for (int turn = 0; turn < 2; turn++) {
        start();
        apply(KIND_POD,
              json(turn == 0 ? "p1" : "p2", 1, 1,
                   turn == 0 ? LABELS("\"a\":\"1\"") OWNER("apps/v1", "StatefulSet", "db")
                             : LABELS("\"a\":\"2\"") OWNER("apps/v1", "StatefulSet", "db"),
                   RUNNING));
        apply(KIND_POD,
              json(turn == 0 ? "p2" : "p1", 2, 2,
                   turn == 0 ? LABELS("\"a\":\"2\"") OWNER("apps/v1", "StatefulSet", "db")
                             : LABELS("\"a\":\"1\"") OWNER("apps/v1", "StatefulSet", "db"),
                   RUNNING));
        CHECK("the least of its classes",
              label_set_has(cluster_workload(c, "shop", "apps", "StatefulSet", "db")->pod_labels,
                            "a", "1"));
        finish();
    }
}

/* ---- relists
 * ------------------------------------------------------------------------------------------------
 */

static unsigned half_states;

static void see_whole_swap(void *ctx, const struct delta *d)
{
    (void)ctx;
    /* Both Services of the list are there and the old one is gone when the first delta comes. */
    if (d->what == DELTA_OBJECT) {
        half_states += cluster_find(c, KIND_SERVICE, "shop", "old") != NULL ||
                       cluster_find(c, KIND_SERVICE, "shop", "new1") == NULL ||
                       cluster_find(c, KIND_SERVICE, "shop", "new2") == NULL;
    }
}

TEST(a_relist_is_swapped_in_whole)
{
    struct cluster_generation *g;

    start();
    cluster_on_delta(c, see_whole_swap, NULL);
    half_states = 0;
    apply(KIND_SERVICE, json("old", 1, 1, "", ""));
    half_states = 0;
    g = cluster_replace_begin(c, KIND_SERVICE, NULL);
    cluster_replace_add(g, decode(KIND_SERVICE, json("new1", 2, 2, "", "")));
    cluster_replace_add(g, decode(KIND_SERVICE, json("new2", 3, 3, "", "")));
    CHECK("nothing is seen before the swap",
          cluster_find(c, KIND_SERVICE, "shop", "old") != NULL &&
              cluster_find(c, KIND_SERVICE, "shop", "new1") == NULL);
    cluster_replace_commit(g, 5, 6);
    CHECK_INT("no delta saw half of it", half_states, 0);
    finish();
}

TEST(a_relist_says_the_difference)
{
    struct cluster_generation *g;
    const char *all;

    start();
    apply(KIND_POD, json("same", 1, 1, "", RUNNING));
    apply(KIND_POD, json("gone", 2, 2, "", RUNNING));
    apply(KIND_POD, json("again", 3, 3, "", RUNNING));
    said();
    g = cluster_replace_begin(c, KIND_POD, NULL);
    cluster_replace_add(g, decode(KIND_POD, json("same", 1, 1, "", RUNNING)));
    cluster_replace_add(g, decode(KIND_POD, json("again", 9, 4, "", RUNNING)));
    cluster_replace_add(g, decode(KIND_POD, json("twice", 5, 5, "", RUNNING)));
    cluster_replace_add(g, decode(KIND_POD, json("twice", 5, 6, LABELS("\"v\":\"2\""), RUNNING)));
    cluster_replace_add(g, decode(KIND_POD, json("shortly", 6, 7, "", RUNNING)));
    cluster_replace_delete(g, decode(KIND_POD, json("shortly", 6, 8, "", RUNNING)));
    CHECK_STR("silence while it is gathered", said(), "");
    cluster_replace_commit(g, 5, 6);
    all = said();
    CHECK("then all at once, what was replaced as a pair",
          strstr(all, "-workload:Pod/again +workload:Pod/again") != NULL);
    CHECK("what came", strstr(all, "+workload:Pod/twice") != NULL);
    CHECK("and last what went",
          strstr(all, "+class:twice(1) -class:gone(0) -workload:Pod/gone") != NULL);
    CHECK_INT("and no more", strlen(all),
              strlen("-workload:Pod/again +workload:Pod/again +workload:Pod/twice +class:twice(1) "
                     "-class:gone(0) -workload:Pod/gone"));
    CHECK("the later of two wins",
          label_set_has(cluster_workload(c, "shop", "", "Pod", "twice")->pod_labels, "v", "2"));
    g = cluster_replace_begin(c, KIND_POD, NULL);
    cluster_replace_add(g, decode(KIND_POD, json("other", 7, 9, "", RUNNING)));
    cluster_replace_abort(g);
    cluster_replace_abort(NULL);
    CHECK_STR("a list that broke off changes nothing", said(), "");
    finish();
}

TEST(a_relist_of_one_namespace_leaves_the_others)
{
    struct cluster_generation *g;

    start();
    apply(KIND_SERVICE, json("a", 1, 1, "", ""));
    apply(KIND_SERVICE, "{\"metadata\":{\"name\":\"b\",\"namespace\":\"other\",\"uid\":\"x\"}}");
    said();
    g = cluster_replace_begin(c, KIND_SERVICE, "other");
    cluster_replace_commit(g, 5, 6);
    CHECK_STR("only there", said(), "-Service -ns:other");
    finish();
}

/* ---- causes
 * --------------------------------------------------------------------------------------------------
 */

static char last_cause[512];

static void note_cause(void *ctx, const struct delta *d)
{
    (void)ctx;
    snprintf(last_cause, sizeof(last_cause), "%s %s %s %s/%s %s@%s by %s %lld-%lld",
             change_verb_name(d->cause->verb), d->cause->api_version, d->cause->kind, d->cause->ns,
             d->cause->name, d->cause->uid, d->cause->resource_version,
             d->cause->manager != NULL ? d->cause->manager : "?", (long long)d->cause->from_ms,
             (long long)d->cause->to_ms);
}

TEST(every_delta_names_the_write_that_did_it)
{
    const char *managed =
        ",\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":\"Update\",\"time\":"
        "\"2026-11-01T12:00:00Z\"}]";
    struct cluster_generation *g;

    start();
    cluster_on_delta(c, note_cause, NULL);
    apply(KIND_DEPLOYMENT, json("web", 1, 5, managed, TEMPLATE));
    CHECK_STR("create", last_cause, "create apps/v1 Deployment shop/web u1@5 by kubectl 10-10");
    apply(KIND_DEPLOYMENT, json("web", 1, 6, managed, ""));
    CHECK_STR("update", last_cause, "update apps/v1 Deployment shop/web u1@6 by kubectl 10-10");
    cluster_delete(c, decode(KIND_DEPLOYMENT, json("web", 1, 7, managed, "")), 12);
    CHECK_STR("delete, by whom nobody knows", last_cause,
              "delete apps/v1 Deployment shop/web u1@7 by ? 12-12");
    apply(KIND_SERVICE, json("m", 4, 7, managed, ""));
    g = cluster_replace_begin(c, KIND_SERVICE, NULL);
    cluster_replace_commit(g, 13, 14);
    CHECK_STR("nor who made it go", last_cause, "gone v1 Service shop/m u4@7 by ? 13-14");
    apply(KIND_POD, json("p", 2, 8, managed, RUNNING));
    CHECK_STR("a pod", last_cause, "create v1 Pod shop/p u2@8 by ? 10-10");
    g = cluster_replace_begin(c, KIND_POD, NULL);
    cluster_replace_commit(g, 20, 30);
    CHECK_STR("missing in a relist", last_cause, "gone v1 Pod shop/p u2@8 by ? 20-30");
    g = cluster_replace_begin(c, KIND_SERVICE, NULL);
    cluster_replace_add(g, decode(KIND_SERVICE, json("s", 3, 9, "", "")));
    cluster_replace_commit(g, 0, 40);
    CHECK_STR("found by a list", last_cause, "found v1 Service shop/s u3@9 by ? 0-40");
    finish();
}

/* ---- kinds, lookups
 * ------------------------------------------------------------------------------------------- */

TEST(kind_states_leave_as_deltas)
{
    start();
    CHECK("watched kinds are pending, others off",
          cluster_kind(c, KIND_POD)->state == KIND_STATE_PENDING &&
              cluster_kind(c, KIND_SECRET)->state == KIND_STATE_OFF &&
              cluster_kind(c, KIND_JOB)->state == KIND_STATE_OFF);
    cluster_set_kind_state(c, KIND_POD, KIND_STATE_SYNCED, NULL, 1);
    CHECK_STR("synced", said(), "kind:Pod=synced");
    cluster_set_kind_state(c, KIND_POD, KIND_STATE_SYNCED, NULL, 2);
    CHECK_STR("synced again", said(), "");
    cluster_set_kind_state(c, KIND_POD, KIND_STATE_STALE, "silent", 3);
    CHECK_STR("stale", said(), "kind:Pod=stale");
    CHECK_STR("with its reason", cluster_kind(c, KIND_POD)->reason, "silent");
    CHECK("it has synced once", cluster_kind(c, KIND_POD)->synced_once);
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        CHECK("not before all required ones have answered",
              kind_table[i].watch != KIND_WATCH_REQUIRED || i == KIND_POD || !cluster_synced(c));
        if (kind_table[i].watch == KIND_WATCH_REQUIRED && i != KIND_POD) {
            cluster_set_kind_state(c, (enum kind)i,
                                   i == KIND_INGRESS ? KIND_STATE_FORBIDDEN : KIND_STATE_SYNCED,
                                   "x", 4);
        }
    }
    CHECK("a refusal is an answer", cluster_synced(c));
    apply(KIND_INGRESS_CLASS, "{\"metadata\":{\"name\":\"nginx\"}}");
    said();
    cluster_set_kind_state(c, KIND_INGRESS_CLASS, KIND_STATE_ABSENT, "404", 5);
    CHECK_STR("what is no longer served is empty", said(),
              "-IngressClass kind:IngressClass=absent");
    finish();
}

TEST(lookups_by_outside_text)
{
    start();
    apply(KIND_NAMESPACE, "{\"metadata\":{\"name\":\"kube-system\",\"uid\":\"the-cluster\"}}");
    apply(KIND_INGRESS_CLASS, "{\"metadata\":{\"name\":\"nginx\"}}");
    apply(KIND_INGRESS,
          json("i", 1, 1, ",\"annotations\":{\"kubernetes.io/ingress.class\":\"old\"}",
               ",\"spec\":{\"ingressClassName\":\"nginx\",\"tls\":[{\"secretName\":\"t\"}],"
               "\"rules\":[{\"http\":{"
               "\"paths\":[{\"backend\":{\"service\":{\"name\":\"s\"}}},{\"backend\":{\"service\":{"
               "\"name\":\"s\"}}}]}}]"
               "}"));
    CHECK_STR("the cluster's id", cluster_kube_system_uid(c), "the-cluster");
    CHECK("an IngressClass",
          cluster_ingress_class(c, "nginx") != NULL && cluster_ingress_class(c, "other") == NULL);
    CHECK("a kind is part of the key", cluster_find(c, KIND_SERVICE, "shop", "i") == NULL &&
                                           cluster_find(c, KIND_INGRESS, "shop", "i") != NULL);
    CHECK_INT("an Ingress once per Service", cluster_ingresses_of_service(c, "shop", "s")->v.len,
              1);
    CHECK("by Secret", cluster_ingresses_of_secret(c, "shop", "t") != NULL);
    CHECK("by class field and annotation", cluster_ingresses_of_class(c, "nginx") != NULL &&
                                               cluster_ingresses_of_class(c, "old") != NULL &&
                                               cluster_ingresses_of_class(c, "x") == NULL);
    cluster_delete(c, decode(KIND_INGRESS, json("i", 1, 2, "", "")), 11);
    CHECK("and no more", cluster_ingresses_of_class(c, "nginx") == NULL);
    cluster_set_offline(c, BIT(KIND_POD), false);
    CHECK("files say which kinds they held",
          cluster_kind_in_input(c, KIND_POD) && !cluster_kind_in_input(c, KIND_SECRET));
    cluster_set_offline(c, BIT(KIND_POD), true);
    CHECK("complete ones hold all", cluster_kind_in_input(c, KIND_SECRET));
    apply(KIND_SERVICE, "{\"metadata\":{\"name\":\"nowhere\"}}");
    CHECK_INT("an object without its namespace has no place",
              cluster_kind(c, KIND_SERVICE)->rejected, 1);
    finish();
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(events_say_what_changed_and_nothing_else),
              cmocka_unit_test(a_workload_outlives_its_object_while_it_has_pods),
              cmocka_unit_test(old_repeated_and_misdirected_events_change_nothing),
              cmocka_unit_test(versions_are_compared_by_length_and_bytes),
              cmocka_unit_test(pods_keep_versions_and_uids_of_any_form),
              cmocka_unit_test(another_uid_under_the_same_name_is_a_delete_and_a_create),
              cmocka_unit_test(a_bare_pod_that_is_being_deleted_says_so),
              cmocka_unit_test(owners_are_followed_to_the_top),
              cmocka_unit_test(in_files_a_named_owner_stands_even_where_it_is_absent),
              cmocka_unit_test(in_files_pods_go_with_their_replica_set_to_an_absent_deployment),
              cmocka_unit_test(in_files_the_youngest_replica_set_lends_its_template),
              cmocka_unit_test(in_files_a_replica_set_gives_way_to_its_deployment),
              cmocka_unit_test(a_solver_is_one_only_when_a_challenge_owns_it),
              cmocka_unit_test(a_selector_that_names_a_per_pod_label_splits_the_class),
              cmocka_unit_test(a_selector_counts_in_the_namespaces_that_it_reaches),
              cmocka_unit_test(the_labels_of_a_workload_without_template_do_not_depend_on_history),
              cmocka_unit_test(a_relist_is_swapped_in_whole),
              cmocka_unit_test(a_relist_says_the_difference),
              cmocka_unit_test(a_relist_of_one_namespace_leaves_the_others),
              cmocka_unit_test(every_delta_names_the_write_that_did_it),
              cmocka_unit_test(kind_states_leave_as_deltas),
              cmocka_unit_test(lookups_by_outside_text));
}
