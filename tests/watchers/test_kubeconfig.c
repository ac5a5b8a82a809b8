/* KUBE_CLIENT I4, I5, I6, I7, I10, I11, I12: kubeconfigs as kubectl reads them. Where kubectl is
 * installed, `kubectl config view --minify --raw` is asked for the same files and must agree. */
#include "tests/watchers/lab.h"

#include "watchers/kubeconfig.h"

#define CLUSTER(name, rest)                                                                        \
    "clusters: [{name: " name ", cluster: {server: 'https://" name ":6443'" rest "}}]\n"
#define CONTEXT(name, cluster, user)                                                               \
    "contexts: [{name: " name ", context: {cluster: " cluster ", user: " user "}}]\n"
#define USER(name, rest) "users: [{name: " name ", user: {" rest "}}]\n"
#define HEAD             "apiVersion: v1\nkind: Config\n"
#define CURRENT(name)    "current-context: " name "\n"
#define PLAIN            HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u") USER("u", "token: t")
/* base64 of "hello" */
#define HELLO "aGVsbG8="

static const struct {
    const char *fact;
    const char *files[3]; /* in the order of KUBECONFIG; NULL: not there */
    const char *context;
    bool allow_insecure;
    const char *want; /* what it means; "error: ..." holds part of the sentence */
} cases[] = {
    { "one file", { PLAIN }, NULL, false, "context=a server=https://c:6443 token=t" },
    { "I4: missing files are passed over",
      { NULL, PLAIN },
      NULL,
      false,
      "context=a server=https://c:6443 token=t" },
    { "I4: an empty file holds nothing",
      { "", PLAIN },
      NULL,
      false,
      "context=a server=https://c:6443 token=t" },
    { "I4: all missing",
      { NULL, NULL },
      NULL,
      false,
      "error: none of the files of KUBECONFIG exists" },
    { "I4: of an entry the first file's counts, whole",
      { HEAD CLUSTER("c", ", tls-server-name: one") USER("u", "token: first"),
        HEAD CURRENT("a") CLUSTER("c", ", proxy-url: 'http://p:1'") CONTEXT("a", "c", "u")
            USER("u", "token: second, tokenFile: /x") },
      NULL,
      false,
      "context=a server=https://c:6443 sni=one token=first" },
    { "I4: of current-context the first that is not empty",
      { HEAD CURRENT("''"),
        HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u") USER("u", "token: t"),
        HEAD CURRENT("zzz") },
      NULL,
      false,
      "context=a server=https://c:6443 token=t" },
    { "--context beats current-context",
      { PLAIN, HEAD CLUSTER("d", "") CONTEXT("b", "d", "v") USER("v", "token: w") },
      "b",
      false,
      "context=b server=https://d:6443 token=w" },
    { "I4: relative paths mean the file's directory",
      { HEAD CURRENT("a") CLUSTER("c", ", certificate-authority: pki/ca.crt") CONTEXT("a", "c", "u")
            USER("u", "tokenFile: ../t, client-certificate: c.crt, client-key: /k.key") },
      NULL,
      false,
      "context=a server=https://c:6443 ca=@/pki/ca.crt cert=@/c.crt key=/k.key tokenfile=@/../t" },
    { "I5: inline data",
      { HEAD CURRENT("a") CLUSTER("c", ", certificate-authority-data: " HELLO) CONTEXT(
          "a", "c", "u") USER("u", "client-certificate-data: " HELLO ", client-key-data: " HELLO) },
      NULL,
      false,
      "context=a server=https://c:6443 ca=hello cert=hello key=hello" },
    { "I5: data beats the file",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "client-certificate: /c, client-certificate-data: " HELLO
                      ", client-key: /k, client-key-data: " HELLO) },
      NULL,
      false,
      "context=a server=https://c:6443 cert=hello key=hello" },
    { "I5: token and token file",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "token: t, tokenFile: /f") },
      NULL,
      false,
      "context=a server=https://c:6443 token=t tokenfile=/f" },
    { "I5: a certificate needs a key",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "client-certificate: /c") },
      NULL,
      false,
      "error: needs client-key" },
    { "I5: username and password",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "username: x, password: 'y'") },
      NULL,
      false,
      "error: no username and password login since 1.19" },
    { "I5: token and password",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "username: x, password: 'z', token: t") },
      NULL,
      false,
      "error: more than one authentication method" },
    { "I5: exec with auth-provider",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "auth-provider: {name: gcp}, exec: {command: x}") },
      NULL,
      false,
      "error: cannot be given together with an exec plugin" },
    { "auth-provider alone",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "auth-provider: {name: gcp}") },
      NULL,
      false,
      "error: auth-provider: is not supported" },
    { "I10: insecure",
      { HEAD CURRENT("a") CLUSTER("c", ", insecure-skip-tls-verify: true") CONTEXT("a", "c", "u")
            USER("u", "token: t") },
      NULL,
      false,
      "error: refused unless insecure connections are allowed (--allow-insecure)" },
    { "I10: insecure, allowed",
      { HEAD CURRENT("a") CLUSTER("c", ", insecure-skip-tls-verify: true") CONTEXT("a", "c", "u")
            USER("u", "token: t") },
      NULL,
      true,
      "context=a server=https://c:6443 insecure token=t" },
    { "I10: insecure with a CA",
      { HEAD CURRENT("a")
            CLUSTER("c", ", insecure-skip-tls-verify: true, certificate-authority: /x")
                CONTEXT("a", "c", "u") USER("u", "token: t") },
      NULL,
      true,
      "error: together with a certificate authority" },
    { "I11: impersonation",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u") USER("u", "token: t, as: root") },
      NULL,
      false,
      "error: impersonation is not supported" },
    { "no context of that name", { PLAIN }, "b", false, "error: there is no context 'b'" },
    { "no current-context",
      { HEAD CLUSTER("c", "") },
      NULL,
      false,
      "error: there is no current-context" },
    { "no cluster of that name",
      { HEAD CURRENT("a") CONTEXT("a", "c", "u") USER("u", "token: t") },
      NULL,
      false,
      "error: there is no cluster 'c'" },
    { "no user of that name",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u") },
      NULL,
      false,
      "error: there is no user 'u'" },
    { "a context without user",
      { HEAD CURRENT("a") CLUSTER("c", "") "contexts: [{name: a, context: {cluster: c}}]\n" },
      NULL,
      false,
      "error: user: is missing" },
    { "a cluster without server",
      { HEAD CURRENT("a") "clusters: [{name: c, cluster: {}}]\n" CONTEXT("a", "c", "u")
            USER("u", "token: t") },
      NULL,
      false,
      "error: server: is missing" },
    { "a name twice in one file",
      { HEAD CURRENT("a") CLUSTER("c", "")
            CONTEXT("a", "c", "u") "users: [{name: u, user: {}}, {name: u, user: {}}]\n" },
      NULL,
      false,
      "error: the name 'u' is there twice" },
    { "a token that is no text",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u") USER("u", "token: 5") },
      NULL,
      false,
      "error: token: must be text" },
    { "another apiVersion",
      { "apiVersion: v2\nkind: Config\n" },
      NULL,
      false,
      "error: :1: apiVersion of a kubeconfig is v1" },
    { "another kind",
      { "apiVersion: v1\nkind: Pod\n" },
      NULL,
      false,
      "error: :2: kind of a kubeconfig is Config" },
    { "a list", { "- a\n" }, NULL, false, "error: a kubeconfig is a map" },
    { "broken YAML", { "clusters: [\n" }, NULL, false, "error: line 2" },
    { "data that is no base64",
      { HEAD CURRENT("a") CLUSTER("c", ", certificate-authority-data: '*'") CONTEXT("a", "c", "u")
            USER("u", "token: t") },
      NULL,
      false,
      "error: certificate-authority-data: is not base64" },
    { "E15: a proxy of another kind",
      { HEAD CURRENT("a") CLUSTER("c", ", proxy-url: 'ftp://x'") CONTEXT("a", "c", "u")
            USER("u", "token: t") },
      NULL,
      false,
      "error: proxy-url: proxy-url must begin with" },
    { "E15, E16, E12: what a cluster says",
      { HEAD CURRENT("a") CLUSTER(
          "c", ", proxy-url: 'socks5://p:1', tls-server-name: sni, disable-compression: true")
            CONTEXT("a", "c", "u") USER("u", "token: t") },
      NULL,
      false,
      "context=a server=https://c:6443 sni=sni proxy=socks5://p:1 nocompression token=t" },
    { "a server path, without the slash at its end",
      { HEAD CURRENT("a") "clusters: [{name: c, cluster: {server: 'https://c/k8s/x/'}}]\n" CONTEXT(
          "a", "c", "u") USER("u", "token: t") },
      NULL,
      false,
      "context=a server=https://c/k8s/x token=t" },
    { "a server without scheme, nothing about TLS",
      { HEAD CURRENT("a") "clusters: [{name: c, cluster: {server: 'c:80'}}]\n" CONTEXT(
          "a", "c", "u") "users: [{name: u, user: {}}]\n" },
      NULL,
      false,
      "context=a server=http://c:80" },
    { "a server without scheme, with a CA",
      { HEAD CURRENT("a") "clusters: [{name: c, cluster: {server: 'c:443', certificate-authority: "
                          "/ca}}]\n" CONTEXT("a", "c", "u") USER("u", "token: t") },
      NULL,
      false,
      "context=a server=https://c:443 ca=/ca token=t" },
    { "a server that is none",
      { HEAD CURRENT("a") "clusters: [{name: c, cluster: {server: 'ftp://c'}}]\n" CONTEXT(
          "a", "c", "u") USER("u", "token: t") },
      NULL,
      false,
      "error: is no http or https URL" },
    { "the namespace of the context",
      { HEAD CURRENT("a") CLUSTER("c", "") "contexts: [{name: a, context: {cluster: c, user: u, "
                                           "namespace: shop}}]\n" USER("u", "token: t") },
      NULL,
      false,
      "context=a server=https://c:6443 ns=shop token=t" },
    { "I12: JSON is YAML",
      { "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"current-context\":\"a\",\"clusters\":[{"
        "\"name\":\"c\",\"cluster\":{\"server\":\"https://c:6443\"}}],"
        "\"contexts\":[{\"name\":\"a\",\"context\":{\"cluster\":\"c\",\"user\":\"u\"}}],\"users\":["
        "{\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}" },
      NULL,
      false,
      "context=a server=https://c:6443 token=t" },
    { "I12: a byte order mark",
      { "\xEF\xBB\xBF" PLAIN },
      NULL,
      false,
      "context=a server=https://c:6443 token=t" },

    { "I7: exec v1beta1, its own directory for a command with a slash",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/x, "
                      "args: [a, b], env: [{name: NAME, value: v}]}") },
      NULL,
      false,
      "context=a server=https://c:6443 exec=@/bin/x a b NAME=v" },
    { "I7: exec v1, from the PATH",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
                      "interactiveMode: IfAvailable}") },
      NULL,
      false,
      "context=a server=https://c:6443 exec=x" },
    { "I7: v1 without interactiveMode",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}") },
      NULL,
      false,
      "error: interactiveMode: must be given" },
    { "I7: interactiveMode Always",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
                      "interactiveMode: Always}") },
      NULL,
      false,
      "error: a daemon has none" },
    { "I7: v1alpha1",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}") },
      NULL,
      false,
      "error: must be client.authentication.k8s.io/v1 or" },
    { "I7: exec without command",
      { HEAD CURRENT("a") CLUSTER("c", "") CONTEXT("a", "c", "u")
            USER("u", "exec: {apiVersion: client.authentication.k8s.io/v1}") },
      NULL,
      false,
      "error: command: is missing" },
};

static void add(struct buf *out, const char *key, const char *value, const char *dir)
{
    size_t len = strlen(dir);

    if (value != NULL && strncmp(value, dir, len) == 0) {
        buf_addf(out, " %s=@%s", key, value + len);
    } else if (value != NULL) {
        buf_addf(out, " %s=%s", key, value);
    }
}

static void describe(const struct kubeconfig *k, const char *dir, struct buf *out)
{
    buf_addf(out, "context=%s server=%s", k->context, k->server);
    add(out, "ns", k->ns, dir);
    add(out, "sni", k->tls_server_name, dir);
    add(out, "proxy", k->proxy_url, dir);
    buf_adds(out, k->insecure ? " insecure" : "");
    buf_adds(out, k->disable_compression ? " nocompression" : "");
    add(out, "ca", k->ca.data != NULL ? k->ca.data : k->ca.path, dir);
    add(out, "cert", k->cert.data != NULL ? k->cert.data : k->cert.path, dir);
    add(out, "key", k->key.data != NULL ? k->key.data : k->key.path, dir);
    add(out, "token", k->token, dir);
    add(out, "tokenfile", k->token_file, dir);
    if (k->exec != NULL) {
        add(out, "exec", k->exec->command, dir);
        for (char **a = k->exec->args + 1; *a != NULL; a++) {
            buf_addf(out, " %s", *a);
        }
        for (char **e = k->exec->env; *e != NULL; e++) {
            buf_addf(out, " %s", *e);
        }
    }
}

/* Writes the files and points KUBECONFIG at them. */
static void set_files(const struct lab *lab, const char *const files[3])
{
    struct buf list;

    buf_init(&list, 4096);
    for (unsigned i = 0; i < 3; i++) {
        char name[8] = { 'k', (char)('0' + i), '\0' };

        unlink(lab_path(lab, name));
        if (files[i] != NULL) {
            write_file(lab_path(lab, name), files[i]);
        }
        buf_addf(&list, "%s%s", i > 0 ? ":" : "", lab_path(lab, name));
    }
    setenv("KUBECONFIG", buf_text(&list), 1);
    buf_deinit(&list);
}

TEST(kubeconfigs_mean_what_they_say)
{
    struct lab lab;

    lab_dir(&lab);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kubeconfig *k = NULL;
        struct error err = { 0 };
        struct buf got;
        int rc;

        set_files(&lab, cases[i].files);
        buf_init(&got, 65536);
        rc = kubeconfig_load(&k, NULL, cases[i].context, cases[i].allow_insecure, &err);
        if (rc == 0) {
            describe(k, lab.dir, &got);
            CHECK_STR(cases[i].fact, buf_text(&got), cases[i].want);
        } else if (strncmp(cases[i].want, "error: ", 7) != 0 ||
                   strstr(err.text, cases[i].want + 7) == NULL) {
            CHECK_STR(cases[i].fact, err.text, cases[i].want);
        }
        kubeconfig_destroy(k);
        buf_deinit(&got);
    }
    remove_dir(lab.dir);
}

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsString(node) ? node->valuestring : NULL;
}

static cJSON *kubectl_view(const char *context)
{
    char *command = xasprintf("kubectl config view --minify --raw -o json %s%s 2>/dev/null",
                              context != NULL ? "--context=" : "", context != NULL ? context : "");
    FILE *f = popen(command, "r");
    char *text = xmalloc(1 << 16);
    size_t len = fread(text, 1, (1 << 16) - 1, f);
    cJSON *tree;

    text[len] = '\0';
    tree = pclose(f) == 0 ? cJSON_Parse(text) : NULL;
    free(text);
    free(command);
    return tree;
}

TEST(kubectl_agrees)
{
    struct lab lab;
    unsigned compared = 0;

    if (system("kubectl version --client >/dev/null 2>&1") != 0) {
        SKIP_BECAUSE("there is no kubectl to compare with");
    }
    lab_dir(&lab);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kubeconfig *k = NULL;
        cJSON *tree, *cluster, *user;

        set_files(&lab, cases[i].files);
        if (kubeconfig_load(&k, NULL, cases[i].context, true, NULL) != 0) {
            continue;
        }
        tree = kubectl_view(cases[i].context);
        cluster = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "clusters"), 0),
                                      "cluster");
        user =
            cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "users"), 0), "user");
        if (cluster != NULL) {
            const char *server = text_of(cluster, "server");

            compared++;
            if (strstr(server, "://") != NULL && server[strlen(server) - 1] != '/') {
                CHECK_STR(cases[i].fact, k->server, server);
            }
            CHECK_STR(cases[i].fact, k->tls_server_name, text_of(cluster, "tls-server-name"));
            CHECK_STR(cases[i].fact, k->proxy_url, text_of(cluster, "proxy-url"));
            CHECK_STR(cases[i].fact, k->token, text_of(user, "token"));
            CHECK_STR(cases[i].fact, k->context, text_of(tree, "current-context"));
        }
        cJSON_Delete(tree);
        kubeconfig_destroy(k);
    }
    CHECK("most of them were compared", compared > 15);
    remove_dir(lab.dir);
}

TEST(which_files_are_read)
{
    struct lab lab;
    struct kubeconfig *k = NULL;
    struct error err = { 0 };
    char *twice;

    lab_dir(&lab);
    setenv("HOME", lab.dir, 1);
    unsetenv("KUBECONFIG");
    CHECK_INT("no file at all is NA_ENOENT", kubeconfig_load(&k, NULL, NULL, false, &err),
              NA_ENOENT);
    mkdir(lab_path(&lab, ".kube"), 0700);
    write_file(lab_path(&lab, ".kube/config"), PLAIN);
    CHECK_INT("~/.kube/config", kubeconfig_load(&k, NULL, NULL, false, &err), 0);
    kubeconfig_destroy(k);
    k = NULL;
    CHECK("an explicit path must exist",
          kubeconfig_load(&k, "/nonexistent/x", NULL, false, &err) != 0);
    CHECK("and is named", strstr(err.text, "/nonexistent/x") != NULL);
    twice = xasprintf("%s:%s", lab_path(&lab, ".kube/config"), lab_path(&lab, ".kube/config"));
    setenv("KUBECONFIG", twice, 1);
    CHECK_INT("the same file twice is read once", kubeconfig_load(&k, NULL, NULL, false, &err), 0);
    kubeconfig_destroy(k);
    free(twice);
    setenv("KUBECONFIG", "/nonexistent/y", 1);
    k = NULL;
    CHECK_INT("KUBECONFIG set: ~/.kube/config is not read",
              kubeconfig_load(&k, NULL, NULL, false, &err), NA_ENOENT);
    remove_dir(lab.dir);
}

/* I7: what a plugin is told. */
TEST(exec_info_tells_about_the_cluster)
{
    struct lab lab;
    struct kubeconfig *k = NULL;
    struct error err = { 0 };
    const char *files[3] = { HEAD CURRENT(
        "a") "clusters: [{name: c, cluster: {server: 'https://c:6443', tls-server-name: sni, "
             "certificate-authority-data: " HELLO
             ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: "
             "x}}]}}]\n" CONTEXT("a", "c", "u") USER(
                 "u", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
                      "interactiveMode: Never, provideClusterInfo: true}") };

    lab_dir(&lab);
    set_files(&lab, files);
    REQUIRE("it loads", kubeconfig_load(&k, NULL, NULL, false, &err) == 0);
    CHECK_STR("kind, version, cluster, no terminal", k->exec->info,
              "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
              "v1\",\"spec\":{\"cluster\":{\"server\":\"https://"
              "c:6443\",\"tls-server-name\":\"sni\",\"certificate-authority-data\":\"aGVsbG8=\","
              "\"config\":{\"audience\":\"x\"}},\"interactive\":false}}");
    kubeconfig_destroy(k);
    remove_dir(lab.dir);
}

int main(void)
{
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    RUN_TESTS(cmocka_unit_test(kubeconfigs_mean_what_they_say), cmocka_unit_test(kubectl_agrees),
              cmocka_unit_test(which_files_are_read),
              cmocka_unit_test(exec_info_tells_about_the_cluster));
}
