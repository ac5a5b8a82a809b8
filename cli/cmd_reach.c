/* reach: the matrix, or one question and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/input.h"
#include "cli/peer.h"
#include "front/reach_print.h"
#include "front/table.h"
#include "rules/label_query.h"

enum { OUTPUT_MAX = 1 << 30, PAIRS_MAX = 4096 };

/* ---- the matrix ---- */

static int print_matrix(const struct cli *cli, struct cli_input *in, const struct selector *labels)
{
    struct reach_matrix *x = reach_matrix_create(in->cluster, in->memo, NULL);
    const char *form = cli->json ? "json" : cli->output != NULL ? cli->output : "table";
    struct buf out;
    int status = 0, rc = 0;

    if (cli->ns != NULL || labels != NULL) {
        reach_matrix_only(x, cli->ns, labels);
    }
    buf_init(&out, OUTPUT_MAX);
    if (strcmp(form, "json") == 0) {
        rc = reach_matrix_json(x, false, &out);
    } else if (strcmp(form, "dot") == 0) {
        rc = reach_matrix_dot(x, &out);
    } else if (strcmp(form, "mermaid") == 0) {
        rc = reach_matrix_mermaid(x, &out);
    } else if (strcmp(form, "html") == 0) {
        rc = reach_matrix_html(x, &out);
    } else if (strcmp(form, "table") == 0) {
        reach_matrix_table(x, !cli->no_headers, !cli->no_color && table_colour_wanted(stdout),
                           stdout);
    } else {
        status = cli_usage(cli, "-o '%s': must be table, json, dot, mermaid or html", form);
    }
    if (rc != 0) {
        status =
            cli_usage(cli, "the matrix would be larger than 1 GiB; look at one namespace (-n)");
    } else if (status == 0 && fwrite(buf_text(&out), 1, out.len, stdout) != out.len) {
        status = cli_usage(cli, "cannot write to standard output");
    }
    buf_deinit(&out);
    reach_matrix_destroy(x);
    return status;
}

/* ---- one question ---- */

struct question {
    const struct cli *cli;
    struct cli_input *in;
    struct cli_peer from, to;
    unsigned protocols; /* bits of enum protocol */
    bool has_port;
    uint16_t port;         /* 0: by name */
    const char *port_name; /* NULL: a number, or any */
    port_set wanted;       /* what is asked about, whoever the destination is; by number or any */
};

struct verdict_of_pair {
    struct side_answer answer; /* within what is asked about */
    port_set asked;
    const struct peer_pod *from, *to; /* the pair that shows it best */
    const char *construct;
};

static port_set protocols_set(struct port_table *t, unsigned protocols, uint16_t lo, uint16_t hi)
{
    port_set s = PORTS_NONE;

    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        if (protocols & BIT(p)) {
            s = port_set_or(t, s, port_set_range(t, (enum protocol)p, lo, hi));
        }
    }
    return s;
}

/* The ports asked about at one destination. */
static port_set asked_at(const struct question *q, const struct peer_pod *to)
{
    struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    const struct pod_shape *shape = to->pod_class != NULL ? to->pod_class->shape : NULL;
    port_set s = PORTS_NONE;

    if (q->port_name == NULL) {
        return q->wanted;
    }
    for (uint32_t i = 0; shape != NULL && i < shape->port_count; i++) {
        const struct named_port *n = &shape->ports[i];
        if (n->name != NULL && strcmp(n->name->text, q->port_name) == 0 &&
            n->protocol != PROTOCOL_OTHER && (q->protocols & BIT(n->protocol))) {
            s = port_set_or(t, s, port_set_range(t, n->protocol, n->port, n->port));
        }
    }
    return s;
}

static int badness(const struct port_table *t, const struct verdict_of_pair *v)
{
    (void)t;
    return v->answer.allowed != PORTS_NONE ? 2 : v->answer.unknown != PORTS_NONE ? 1 : 0;
}

static void unite(struct port_table *t, struct side_answer *all, struct side_answer one)
{
    all->allowed = port_set_or(t, all->allowed, one.allowed);
    all->unknown = port_set_or(t, all->unknown, one.unknown);
}

static struct verdict_of_pair ask_pods(const struct question *q, const struct peer_pod *from,
                                       const struct peer_pod *to)
{
    struct reach_book *b = reach_memo_book(q->in->memo);
    struct port_table *t = reach_book_ports(b);
    struct reach_peer a = cli_peer_of(from), z = cli_peer_of(to);
    struct verdict_of_pair v = { .from = from, .to = to, .asked = asked_at(q, to) };

    if (cli_peer_same_pod(from, to)) {
        v.answer.allowed = PORTS_ALL; /* a pod always reaches itself */
    } else {
        v.answer = reach_pair(b, &a, &z, &v.construct);
    }
    v.answer.allowed = port_set_and(t, v.answer.allowed, v.asked);
    v.answer.unknown = port_set_and(t, v.answer.unknown, v.asked);
    return v;
}

/* The answer of two large workloads, without asking pod by pod. False when it must be. */
static bool ask_matrix(const struct question *q, struct verdict_of_pair *out)
{
    struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    size_t from = SIZE_MAX, to = SIZE_MAX;

    if (q->from.pods.len * q->to.pods.len <= PAIRS_MAX || q->port_name != NULL ||
        q->from.workload == q->to.workload) {
        return false;
    }
    struct reach_matrix *x = reach_matrix_create(q->in->cluster, q->in->memo, NULL);
    for (size_t i = 0; i < reach_matrix_count(x); i++) {
        const struct workload *w = reach_matrix_peer(x, i)->workload;
        from = w != NULL && w == q->from.workload ? i : from;
        to = w != NULL && w == q->to.workload ? i : to;
    }
    bool found = from != SIZE_MAX && to != SIZE_MAX && q->from.whole && q->to.whole;
    if (found) {
        struct matrix_answer m = reach_matrix_at(x, from, to);
        *out = (struct verdict_of_pair){ .answer = { port_set_and(t, m.allowed, q->wanted),
                                                     port_set_and(t, m.unknown, q->wanted) },
                                         .construct = m.construct };
    }
    reach_matrix_destroy(x);
    return found;
}

/* Any pod of one to any pod of the other: what is possible for some pair, as in the matrix. */
static struct verdict_of_pair ask(const struct question *q)
{
    struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    struct verdict_of_pair best = { .from = NULL }, whole = { .from = NULL };
    bool known = ask_matrix(q, &whole);

    for (size_t i = 0; i < q->from.pods.len; i++) {
        for (size_t k = 0; k < q->to.pods.len; k++) {
            const struct peer_pod *from = &q->from.pods.items[i], *to = &q->to.pods.items[k];
            if (cli_peer_same_pod(from, to) && q->from.pods.len + q->to.pods.len > 2) {
                continue;
            }
            struct verdict_of_pair v = ask_pods(q, from, to);
            if (best.from == NULL || badness(t, &v) > badness(t, &best)) {
                best = v;
            }
            if (known && badness(t, &v) >= badness(t, &whole)) {
                goto done; /* it shows what the matrix says */
            }
            if (!known) {
                unite(t, &whole.answer, v.answer);
                whole.construct = whole.construct != NULL ? whole.construct : v.construct;
            }
        }
    }
done:
    best.answer.allowed = whole.answer.allowed;
    best.answer.unknown = port_set_minus(t, whole.answer.unknown, whole.answer.allowed);
    best.construct = best.answer.unknown != PORTS_NONE ? whole.construct : NULL;
    return best;
}

static int read_question(const struct cli *cli, struct question *q)
{
    struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    char *end;
    int status;

    q->protocols = BIT(PORT_PROTOCOLS) - 1;
    if (cli->proto != NULL) {
        q->protocols = 0;
        for (int p = 0; p < PORT_PROTOCOLS; p++) {
            q->protocols |= strcmp(protocol_name((enum protocol)p), cli->proto) == 0 ? BIT(p) : 0U;
        }
        if (q->protocols == 0) {
            return cli_usage(cli, "--proto '%s': must be TCP, UDP or SCTP", cli->proto);
        }
    } else if (cli->port != NULL) {
        q->protocols = BIT(PROTOCOL_TCP);
    }
    q->wanted = protocols_set(t, q->protocols, PORT_FIRST, PORT_LAST);
    if (cli->port != NULL) {
        long number = strtol(cli->port, &end, 10);
        q->has_port = true;
        if (*end != '\0') {
            q->port_name = cli->port;
        } else if (number < PORT_FIRST || number > PORT_LAST) {
            return cli_usage(cli, "--port '%s': must be a port from 1 to 65535, or the name of one",
                             cli->port);
        } else {
            q->wanted = protocols_set(t, q->protocols, (uint16_t)number, (uint16_t)number);
        }
    }
    status = cli_peer_find(cli, q->in, "--from", cli->from, &q->from);
    status = status != 0 ? status : cli_peer_find(cli, q->in, "--to", cli->to, &q->to);
    if (status != 0) {
        return status;
    }
    if (q->from.workload == NULL && q->to.workload == NULL) {
        return cli_usage(cli, "--from and --to are both outside the cluster");
    }
    for (size_t i = 0; q->port_name != NULL && i < q->to.pods.len; i++) {
        if (asked_at(q, &q->to.pods.items[i]) != PORTS_NONE) {
            return 0;
        }
    }
    return q->port_name == NULL
               ? 0
               : cli_usage(cli, "--port '%s': no container of %s declares a port of that name",
                           q->port_name, q->to.title);
}

/* Names come from manifests, and owners' kinds and files' names may hold anything. */
struct clean {
    char text[1400];
};
static const char *cleaned(struct clean *c, const char *text)
{
    text_escape_control(c->text, sizeof(c->text), text, strlen(text));
    return c->text;
}

/* ---- why ---- */

static void where_text(const struct object *policy, const char *field, char *out, size_t size)
{
    if (policy->origin != NULL) {
        snprintf(out, size, "%s:%u", policy->origin->file->text,
                 origin_field_line(policy->origin, field));
    } else {
        snprintf(out, size, "resourceVersion %s", str_text(policy->resource_version));
    }
}

static void print_step(const struct side_step *s, enum direction d)
{
    static const char *const words[] = { [SAYS_NOTHING] = "no rule of it matches",
                                         [SAYS_ALLOW] = "allows it",
                                         [SAYS_DENY] = "denies it",
                                         [SAYS_PASS] = "passes it on",
                                         [SAYS_MAYBE] = "may match: this is not known" };
    const struct object *p = s->form->policy;
    char field[128] = "spec", where[640], name[600];
    struct clean a, b;

    if (p == NULL) {
        printf("    %s\n", s->form->unclear[d]);
        return;
    }
    if (s->rule != NULL) {
        snprintf(field, sizeof(field), "%s[%u]", s->rule->section, s->rule->index);
    }
    where_text(p, field, where, sizeof(where));
    snprintf(name, sizeof(name), "%s %s%s%s", kind_table[p->kind].name, str_text(p->ns),
             p->ns != NULL ? "/" : "", p->name->text);
    printf("  %s %s (%s): ", s->deciding ? ">" : " ", cleaned(&a, name), cleaned(&b, where));
    if (s->rule != NULL) {
        printf("%s%s%s%s %s%s\n", field, s->rule->name != NULL ? " (" : "",
               cleaned(&a, str_text(s->rule->name)), s->rule->name != NULL ? ")" : "",
               words[s->word], s->rule->narrowed ? ", within limits of layer 7" : "");
    } else if (s->form->unclear[d] != NULL) {
        printf("cannot be relied on: %s\n", s->form->unclear[d]);
    } else {
        printf("%s (%u %s rule%s)\n", words[SAYS_NOTHING], s->form->rule_count[d],
               d == DIRECTION_INGRESS ? "ingress" : "egress",
               s->form->rule_count[d] == 1 ? "" : "s");
    }
}

static const char *advice(const struct side_reason *r, enum direction d)
{
    switch (r->because) {
    case BECAUSE_NO_POLICY:
        return "no policy selects it in this direction, so that everything is allowed";
    case BECAUSE_RULE:
        return NULL;
    case BECAUSE_NO_RULE:
        return d == DIRECTION_INGRESS
                   ? "it is isolated for ingress and no rule allows this peer and port: add an "
                     "ingress rule for them to one of these policies"
                   : "it is isolated for egress and no rule allows this peer and port: add an "
                     "egress rule for them to one of these policies";
    case BECAUSE_NOTHING_MATCHED:
        return "no rule matches and nothing isolates it, so that it is allowed";
    case BECAUSE_HOST_NETWORK:
        return "it is on the host network, where no policy applies";
    case BECAUSE_OWN_NODE:
        return "denied, unless the node is the pod's own, which always reaches it";
    case BECAUSE_CONSTRUCT:
        break;
    }
    return r->construct != NULL ? r->construct : "not known";
}

static void explain_side(const struct question *q, const struct verdict_of_pair *v,
                         enum direction d, enum protocol protocol, uint16_t port)
{
    static const char *const answers[] = {
        [SIDE_ALLOWED] = "allowed", [SIDE_DENIED] = "denied", [SIDE_UNKNOWN] = "unknown"
    };
    struct reach_book *b = reach_memo_book(q->in->memo);
    const struct peer_pod *own = d == DIRECTION_EGRESS ? v->from : v->to;
    const struct peer_pod *other = d == DIRECTION_EGRESS ? v->to : v->from;
    const struct cli_peer *side = d == DIRECTION_EGRESS ? &q->from : &q->to;
    const char *word = d == DIRECTION_EGRESS ? "egress of" : "ingress of";
    struct reach_peer peer = cli_peer_of(other);
    struct side_reason r = { 0 };
    struct clean title;

    if (own->pod_class == NULL) {
        printf("\n%s %s: outside the cluster, where no policy applies\n", word,
               cleaned(&title, side->title));
        return;
    }
    lineup_explain(b, reach_lineup(b, own->pod_class, d), d, own->pod_class, &peer, protocol, port,
                   &r);
    printf("\n%s %s: %s\n", word, cleaned(&title, side->title), answers[r.answer]);
    for (size_t i = 0; i < r.steps.len; i++) {
        print_step(&r.steps.items[i], d);
    }
    if (advice(&r, d) != NULL) {
        printf("    %s\n", advice(&r, d));
    }
    vec_free(&r.steps);
}

/* The port that shows the answer: one of the answer's own, else the first asked about. */
static bool first_port(const struct port_table *t, port_set s, enum protocol *protocol,
                       uint16_t *port)
{
    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        struct port_ranges r = port_set_ranges(t, s, (enum protocol)p);
        if (r.count > 0) {
            *protocol = (enum protocol)p;
            *port = r.items[0].lo;
            return true;
        }
    }
    return false;
}

static void explain(const struct question *q, const struct verdict_of_pair *v)
{
    const struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    enum protocol protocol = PROTOCOL_TCP;
    uint16_t port = PORT_FIRST;

    if (!first_port(t, v->answer.allowed, &protocol, &port) &&
        !first_port(t, v->answer.unknown, &protocol, &port)) {
        const struct pod_shape *shape = v->to->pod_class != NULL ? v->to->pod_class->shape : NULL;
        first_port(t, v->asked, &protocol, &port);
        for (uint32_t i = 0; !q->has_port && shape != NULL && i < shape->port_count; i++) {
            if (port_set_has(t, v->asked, shape->ports[i].protocol, shape->ports[i].port)) {
                protocol = shape->ports[i].protocol; /* one that it listens on tells more */
                port = shape->ports[i].port;
                break;
            }
        }
    }
    printf("shown for %s port %u%s%s%s%s\n", protocol_name(protocol), port,
           v->from->name != NULL ? ", from pod " : "", v->from->name != NULL ? v->from->name : "",
           v->to->name != NULL ? ", to pod " : "", v->to->name != NULL ? v->to->name : "");
    explain_side(q, v, DIRECTION_EGRESS, protocol, port);
    explain_side(q, v, DIRECTION_INGRESS, protocol, port);
}

static void print_answer(const struct question *q, const struct verdict_of_pair *v,
                         const char *word)
{
    const struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    struct buf ports;
    struct clean from, to;

    buf_init(&ports, 1 << 20);
    printf("%s: %s -> %s", word, cleaned(&from, q->from.title), cleaned(&to, q->to.title));
    if (v->answer.allowed != PORTS_NONE) {
        ports_text(t, v->answer.allowed, &ports);
        printf(": %s", buf_text(&ports));
    }
    if (v->answer.unknown != PORTS_NONE) {
        buf_reset(&ports);
        ports_text(t, v->answer.unknown, &ports);
        printf(" (not known: %s%s%s)", buf_text(&ports),
               v->construct != NULL ? ", because of " : "",
               v->construct != NULL ? v->construct : "");
    }
    putchar('\n');
    buf_deinit(&ports);
}

static void print_json(const struct question *q, const struct verdict_of_pair *v, const char *word)
{
    const struct port_table *t = reach_book_ports(reach_memo_book(q->in->memo));
    struct buf out;

    buf_init(&out, 1 << 20);
    buf_addf(&out, "{\"answer\": \"%s\", \"from\": ", word);
    buf_add_json(&out, q->from.title);
    buf_adds(&out, ", \"to\": ");
    buf_add_json(&out, q->to.title);
    buf_adds(&out, ", \"allowed\": ");
    ports_json(t, v->answer.allowed, &out);
    buf_adds(&out, ", \"unknown\": ");
    ports_json(t, v->answer.unknown, &out);
    buf_adds(&out, ", \"reasons\": [");
    if (v->construct != NULL) {
        buf_add_json(&out, v->construct);
    }
    buf_adds(&out, "]}\n");
    fputs(buf_text(&out), stdout);
    buf_deinit(&out);
}

static int answer_question(const struct cli *cli, struct cli_input *in)
{
    struct question q = { .cli = cli, .in = in };
    int status = read_question(cli, &q);

    if (status == 0) {
        struct verdict_of_pair v = ask(&q);
        const char *word = v.answer.allowed != PORTS_NONE   ? "allowed"
                           : v.answer.unknown != PORTS_NONE ? "unknown"
                                                            : "denied";
        if (v.from == NULL) { /* a single pod and itself */
            word = "allowed";
        }
        if (cli->json || (cli->output != NULL && strcmp(cli->output, "json") == 0)) {
            print_json(&q, &v, word);
        } else {
            print_answer(&q, &v, word);
            if (cli->explain && v.from != NULL) {
                explain(&q, &v);
            }
        }
        if (cli->expect != NULL && strcmp(cli->expect, word) != 0) {
            status = EXIT_FINDINGS;
        }
    }
    cli_peer_deinit(&q.from);
    cli_peer_deinit(&q.to);
    return status;
}

/* ---- both ---- */

static int check_use(const struct cli *cli)
{
    bool point = cli->from != NULL || cli->to != NULL;

    if (cli->matrix == point) {
        return cli_usage(cli, "say --matrix, or --from PEER and --to PEER");
    }
    if (point && (cli->from == NULL || cli->to == NULL)) {
        return cli_usage(cli, "--from and --to belong together");
    }
    if (cli->matrix &&
        (cli->port != NULL || cli->proto != NULL || cli->explain || cli->expect != NULL)) {
        return cli_usage(cli, "--port, --proto, --explain and --expect go with --from and --to");
    }
    if (point && (cli->ns != NULL || cli->selector != NULL)) {
        return cli_usage(cli, "-n and -l go with --matrix");
    }
    if (cli->expect != NULL && strcmp(cli->expect, "allowed") != 0 &&
        strcmp(cli->expect, "denied") != 0) {
        return cli_usage(cli, "--expect '%s': must be allowed or denied", cli->expect);
    }
    if (point && cli->output != NULL && strcmp(cli->output, "json") != 0 &&
        strcmp(cli->output, "table") != 0) {
        return cli_usage(cli, "-o '%s': must be table or json with --from and --to", cli->output);
    }
    return 0;
}

int cmd_reach(const struct cli *cli)
{
    struct cli_input in = { 0 };
    struct selector *labels = NULL;
    struct error err = { 0 };
    int status = check_use(cli);

    if (status == 0 && cli->selector != NULL &&
        label_query_parse(cli->selector, &labels, &err) != 0) {
        status = cli_usage(cli, "-l '%s': %s", cli->selector, err.text);
    }
    status = status != 0 ? status : cli_input_open(cli, &in);
    status = status != 0 ? status : cli_input_from(cli, &in, true);
    if (status == 0) {
        status = cli->matrix ? print_matrix(cli, &in, labels) : answer_question(cli, &in);
        status = cli_input_errors(&in) > 0 ? EXIT_USAGE : status;
    }
    selector_destroy(labels);
    cli_input_close(&in);
    return status;
}
