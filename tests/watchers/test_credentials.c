/* KUBE_CLIENT A9, E15, E18, I1, I2, I6, I9: URLs, proxies, tokens and certificates that rotate, and
 * which credentials are taken. */
#include "tests/watchers/lab.h"

#include "watchers/base64.h"
#include "watchers/credentials.h"
#include "watchers/incluster.h"
#include "watchers/kube_status.h"
#include "watchers/pem.h"
#include "watchers/proxy.h"
#include "watchers/token_file.h"
#include "watchers/url.h"

#define CERT  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define CERT2 "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
#define KEY   "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
#define KEY2  "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"

TEST(urls_are_encoded)
{
    struct buf url;

    buf_init(&url, URL_MAX_BYTES);
    url_add_resource(&url, "https://h/base", "", "v1", NULL, "pods");
    url_add_query(&url, "fieldSelector", "status.phase!=Succeeded,status.phase!=Failed");
    url_add_query(&url, "continue", "a+b/c=&d?\xC3\xA4%");
    url_add_query_int(&url, "limit", 500);
    CHECK_STR("A9: values, whatever is in them", buf_text(&url),
              "https://h/base/api/v1/"
              "pods?fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
              "&continue=a%2Bb%2Fc%3D%26d%3F%C3%A4%25&limit=500");
    buf_reset(&url);
    url_add_resource(&url, "https://h", "apps", "v1", "a/b", "deployments");
    CHECK_STR("a group and a namespace", buf_text(&url),
              "https://h/apis/apps/v1/namespaces/a%2Fb/deployments");
    buf_deinit(&url);
}

TEST(no_proxy_is_read_as_go_reads_it)
{
    static const struct {
        const char *fact, *list, *host;
        unsigned port;
        bool match;
    } rows[] = {
        { "everything", "*", "a.b", 443, true },
        { "itself", "example.com", "example.com", 443, true },
        { "a domain below", "example.com", "api.example.com", 443, true },
        { "not a longer word", "example.com", "badexample.com", 443, false },
        { "a leading dot leaves the domain itself out", ".example.com", "example.com", 443, false },
        { "a leading dot", ".example.com", "api.example.com", 443, true },
        { "a leading star", "*.example.com", "api.example.com", 443, true },
        { "case does not matter", "EXAMPLE.com", "Api.Example.Com", 443, true },
        { "an address", "10.1.2.3", "10.1.2.3", 443, true },
        { "another address", "10.1.2.3", "10.1.2.30", 443, false },
        { "a network", "a.b, 10.0.0.0/8", "10.9.9.9", 443, true },
        { "another network", "10.0.0.0/8", "11.9.9.9", 443, false },
        { "IPv6", "fd00::/8", "fd00::1", 443, true },
        { "IPv6 itself", "[::2]:6443", "::2", 6443, true },
        { "a port", "example.com:6443", "example.com", 6443, true },
        { "another port", "example.com:6443", "example.com", 443, false },
        { "nothing", "", "example.com", 443, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rows[i].fact,
              no_proxy_matches(rows[i].list, rows[i].host, rows[i].port) == rows[i].match);
    }
    unsetenv("https_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");
    setenv("HTTPS_PROXY", "http://p:3128", 1);
    setenv("NO_PROXY", "10.96.0.1,.svc", 1);
    CHECK_STR("E15: the environment's proxy", proxy_from_environment("https://api.example:6443/x"),
              "http://p:3128");
    CHECK_STR("not for the cluster's own address",
              proxy_from_environment("https://10.96.0.1:443/x"), NULL);
    CHECK_STR("not for loopback", proxy_from_environment("https://127.0.0.1:6443"), NULL);
    CHECK_STR("not for IPv6 loopback", proxy_from_environment("https://[::1]:6443"), NULL);
    CHECK_STR("not for localhost", proxy_from_environment("https://localhost:6443"), NULL);
    CHECK_STR("not for clear HTTP, which has its own", proxy_from_environment("http://api.example"),
              NULL);
    unsetenv("HTTPS_PROXY");
    unsetenv("NO_PROXY");
}

TEST(base64_is_read_strictly)
{
    static const struct {
        const char *text, *data; /* NULL: refused */
    } rows[] = { { "", "" },
                 { "Zg==", "f" },
                 { "Zm8=", "fo" },
                 { "Zm9v", "foo" },
                 { "Zm9v\nYg==\n", "foob" },
                 { "Zg", NULL },
                 { "Zg=", NULL },
                 { "Z", NULL },
                 { "Zg==Zg==", NULL },
                 { "Z*==", NULL },
                 { "====", NULL },
                 { "Zm9v====", NULL },
                 { " Zm9v", NULL } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *data = NULL, *back;
        size_t len = 0;
        bool good = base64_decode(rows[i].text, &data, &len);

        CHECK(rows[i].text, good == (rows[i].data != NULL));
        if (good && rows[i].data != NULL) {
            CHECK_STR(rows[i].text, data, rows[i].data);
            back = base64_encode(data, len);
            if (strchr(rows[i].text, '\n') == NULL) {
                CHECK_STR("and back", back, rows[i].text);
            }
            free(back);
        }
        free(data);
    }
}

TEST(a_status_is_read_for_what_it_says)
{
    static const struct {
        const char *fact, *text;
        int http, code;
        bool expired, too_large;
        int retry;
        const char *message;
    } rows[] = {
        { "section 6: 410 in a stream",
          "{\"kind\":\"Status\",\"message\":\"too old\",\"reason\":\"Expired\",\"code\":410}", 0,
          410, true, false, -1, "too old" },
        { "reason Gone", "{\"reason\":\"Gone\",\"code\":500}", 0, 500, true, false, -1, "" },
        { "410 with an empty body", "", 410, 410, true, false, -1, "" },
        { "410 with garbage", "\x01{{{", 410, 410, true, false, -1, "\\x01{{{" },
        { "B8: a version of the future by its cause",
          "{\"reason\":\"Timeout\",\"code\":504,\"details\":{\"causes\":[{\"reason\":"
          "\"ResourceVersionTooLarge\",\"message\":\"x\"}],\"retryAfterSeconds\":1}}",
          504, 504, false, true, 1, "" },
        { "B8: by its message",
          "{\"message\":\"Timeout: Too large resource version: 5, current: 3\"}", 504, 504, false,
          true, -1, "Timeout: Too large resource version: 5, current: 3" },
        { "section 6: 429 is plain text", "Too many requests, please try again later.\n", 429, 429,
          false, false, -1, "Too many requests, please try again later." },
        { "what the answer says beats what the body says", "{\"code\":200}", 503, 503, false, false,
          -1, "" },
        { "nothing", "{}", 0, 0, false, false, -1, "" },
        { "deep", "[[[[[[[[[[[[[[[[[[[[[[", 500, 500, false, false, -1, "[[[[[[[[[[[[[[[[[[[[[[" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kube_status st;

        kube_status_parse(rows[i].text, strlen(rows[i].text), rows[i].http, &st);
        CHECK_INT(rows[i].fact, st.code, rows[i].code);
        CHECK(rows[i].fact, st.expired == rows[i].expired && st.too_large == rows[i].too_large);
        CHECK_INT(rows[i].fact, st.retry_after_s, rows[i].retry);
        CHECK_STR(rows[i].fact, st.message, rows[i].message);
    }
}

TEST(a_token_file_is_read_every_minute_and_kept_when_it_cannot_be)
{
    struct lab lab;
    struct token_file f;
    struct error err = { 0 };
    bool changed;
    const char *path;

    lab_dir(&lab);
    path = lab_path(&lab, "token");
    token_file_init(&f, path, NULL);
    CHECK("no file and no token: none", token_file_get(&f, 1000, false, &changed, &err) == NULL);
    CHECK("with a sentence", strstr(err.text, path) != NULL);
    write_file(path, "  one\n\n");
    CHECK_STR("I2: white space is trimmed", token_file_get(&f, 2000, false, &changed, &err), "one");
    CHECK("it is new", changed);
    write_file(path, "two");
    CHECK_STR("not read again at once", token_file_get(&f, 51999, false, &changed, &err), "one");
    CHECK_STR("but within the minute", token_file_get(&f, 52000, false, &changed, &err), "two");
    CHECK("and is new", changed);
    write_file(path, "");
    CHECK_STR("I2: empty: the last is kept", token_file_get(&f, 200000, false, &changed, &err),
              "two");
    write_file(path, "three\nfour");
    CHECK_STR("I2: more than a word: the last is kept",
              token_file_get(&f, 300000, false, &changed, &err), "two");
    unlink(path);
    CHECK_STR("I2: removed: the last is kept", token_file_get(&f, 400000, false, &changed, &err),
              "two");
    write_file(path, "five");
    CHECK_STR("D6: read at once when asked", token_file_get(&f, 400001, true, &changed, &err),
              "five");
    token_file_deinit(&f);
    token_file_init(&f, "/nonexistent", "given");
    CHECK_STR("I5: the token beside an unreadable file",
              token_file_get(&f, 1000, false, &changed, &err), "given");
    token_file_deinit(&f);
    remove_dir(lab.dir);
}

TEST(half_of_a_pem_is_none)
{
    static const struct {
        const char *fact, *text, *what;
        bool whole;
    } rows[] = {
        { "a certificate", CERT, "CERTIFICATE", true },
        { "a chain", CERT CERT2, "CERTIFICATE", true },
        { "text around it", "subject=x\n" CERT "\n", "CERTIFICATE", true },
        { "a key of any kind", KEY, "PRIVATE KEY", true },
        { "a key is no certificate", KEY, "CERTIFICATE", false },
        { "empty", "", "CERTIFICATE", false },
        { "garbage", "hello", "CERTIFICATE", false },
        { "truncated", "-----BEGIN CERTIFICATE-----\nAAAA\n", "CERTIFICATE", false },
        { "truncated in its end", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIF",
          "CERTIFICATE", false },
        { "a second block truncated", CERT "-----BEGIN CERTIFICATE-----\nBB", "CERTIFICATE",
          false },
        { "an end of another kind", "-----BEGIN CERTIFICATE-----\nA\n-----END PRIVATE KEY-----\n",
          "CERTIFICATE", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rows[i].fact,
              pem_is_whole(rows[i].text, strlen(rows[i].text), rows[i].what) == rows[i].whole);
    }
}

TEST(E18_certificates_are_read_every_five_minutes_and_kept_when_they_cannot_be)
{
    struct lab lab;
    struct pem_files f = { .failing = false };
    struct error err = { 0 };

    lab_dir(&lab);
    f.cert.path = xstrdup(lab_path(&lab, "c"));
    f.key.path = xstrdup(lab_path(&lab, "k"));
    CHECK("missing at the start is an error", pem_files_load(&f, 0, &err) != 0);
    write_file(f.cert.path, CERT);
    write_file(f.key.path, KEY);
    CHECK_INT("both there", pem_files_load(&f, 1000, &err), 0);
    write_file(f.cert.path, CERT2);
    write_file(f.key.path, KEY2);
    CHECK("not read again at once", !pem_files_refresh(&f, 300999));
    CHECK("but after five minutes", pem_files_refresh(&f, 301000));
    CHECK_STR("the new one", f.now.cert, CERT2);
    write_file(f.cert.path, "-----BEGIN CERTIFICATE-----\nCC");
    CHECK("truncated: nothing changes", !pem_files_refresh(&f, 700000));
    write_file(f.cert.path, "");
    CHECK("empty: nothing changes", !pem_files_refresh(&f, 710000));
    unlink(f.cert.path);
    CHECK("removed: nothing changes", !pem_files_refresh(&f, 720000));
    CHECK_STR("the one in use stays", f.now.cert, CERT2);
    write_file(f.cert.path, CERT);
    CHECK("and is tried again soon", pem_files_refresh(&f, 730000));
    CHECK_STR("a pair caught half-way: new certificate", f.now.cert, CERT);
    CHECK("the TLS backend refuses it: back", pem_files_revert(&f, 731000));
    CHECK_STR("to the pair before", f.now.cert, CERT2);
    CHECK("once", !pem_files_revert(&f, 732000));
    CHECK("and read again soon", pem_files_refresh(&f, 741000));
    pem_files_deinit(&f);
    remove_dir(lab.dir);
}

TEST(I1_in_cluster)
{
    static const struct {
        const char *host, *port, *server;
    } rows[] = { { "10.0.0.1", "443", "https://10.0.0.1:443" },
                 { "fd00::1", "6443", "https://[fd00::1]:6443" },
                 { "[fd00::1]", "6443", "https://[fd00::1]:6443" },
                 { "10.0.0.1", "none", NULL },
                 { "10.0.0.1", "0", NULL } };
    struct lab lab;
    struct credentials_settings s = { .kubeconfig = NULL };
    struct credentials *c = NULL;
    struct credential now;
    struct error err = { 0 };
    uv_loop_t loop;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *server = incluster_server(rows[i].host, rows[i].port);

        CHECK_STR("host and port", server, rows[i].server);
        free(server);
    }
    uv_loop_init(&loop);
    lab_dir(&lab);
    s.incluster_dir = lab.dir;
    setenv("HOME", lab.dir, 1);
    unsetenv("KUBECONFIG");
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    unsetenv("KUBERNETES_SERVICE_PORT");
    write_file(lab_path(&lab, "token"), "tok\n");
    write_file(lab_path(&lab, "ca.crt"), CERT);
    CHECK("one variable is not enough", credentials_load(&c, &loop, &s, &err) != 0);
    CHECK("and the sentence says both", strstr(err.text, "no service account is mounted") != NULL);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    REQUIRE("mounted", credentials_load(&c, &loop, &s, &err) == 0);
    CHECK_STR("the server", credentials_server(c), "https://10.0.0.1:443");
    CHECK_STR("where from", credentials_source(c), "in-cluster");
    CHECK_INT("the credential", credentials_current(c, &now, &err), 0);
    CHECK_STR("the token", now.bearer, "tok");
    CHECK_STR("the CA", now.tls->ca, CERT);
    CHECK("E12: nothing is compressed within the cluster", now.disable_compression);
    write_file(lab_path(&lab, "token"), "fresh");
    credentials_refused(c, now.serial);
    CHECK_INT("D6: after 401", credentials_current(c, &now, &err), 0);
    CHECK_STR("the token is read again", now.bearer, "fresh");
    credentials_destroy(c);
    write_file(lab_path(&lab, "kc"),
               "current-context: a\nclusters: [{name: c, cluster: {server: 'https://c:6443'}}]\n"
               "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: "
               "{token: t}}]\n");
    s.kubeconfig = lab_path(&lab, "kc");
    REQUIRE("DESIGN 8: an explicit kubeconfig wins", credentials_load(&c, &loop, &s, &err) == 0);
    CHECK_STR("its server", credentials_server(c), "https://c:6443");
    credentials_destroy(c);
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    remove_dir(lab.dir);
    close_loop(&loop);
}

TEST(I6_nothing_is_sent_in_clear)
{
    struct lab lab;
    struct credentials *c = NULL;
    struct credential now;
    struct error err = { 0 };
    uv_loop_t loop;

    uv_loop_init(&loop);
    lab_dir(&lab);
    write_file(lab_path(&lab, "kc"),
               "current-context: a\nclusters: [{name: c, cluster: {server: 'http://c:8080'}}]\n"
               "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: "
               "{token: t, tokenFile: /nonexistent}}]\n");
    const struct credentials_settings s = { .kubeconfig = lab_path(&lab, "kc") };
    REQUIRE("it loads", credentials_load(&c, &loop, &s, &err) == 0);
    CHECK_INT("there is a credential", credentials_current(c, &now, &err), 0);
    CHECK("without token", now.bearer == NULL);
    credentials_destroy(c);
    remove_dir(lab.dir);
    close_loop(&loop);
}

TEST(I9_only_plugins_that_are_allowed)
{
    static const char *const allowed[] = { "/usr/bin/other", NULL };
    static const char *const allowed_too[] = { "/usr/bin/other", "/bin/plugin", NULL };
    struct lab lab;
    struct credentials *c = NULL;
    struct error err = { 0 };
    uv_loop_t loop;

    uv_loop_init(&loop);
    lab_dir(&lab);
    write_file(lab_path(&lab, "kc"),
               "current-context: a\nclusters: [{name: c, cluster: {server: 'https://c:8080'}}]\n"
               "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
               "users: [{name: u, user: {exec: {command: /bin/plugin, apiVersion: "
               "client.authentication.k8s.io/v1beta1}}}]\n");
    struct credentials_settings s = { .kubeconfig = lab_path(&lab, "kc"), .exec_allowed = allowed };
    CHECK_INT("another is refused", credentials_load(&c, &loop, &s, &err), NA_EAUTH);
    s.exec_allowed = allowed_too;
    CHECK_INT("this one is allowed", credentials_load(&c, &loop, &s, &err), 0);
    credentials_destroy(c);
    remove_dir(lab.dir);
    close_loop(&loop);
}

int main(void)
{
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    RUN_TESTS(
        cmocka_unit_test(urls_are_encoded), cmocka_unit_test(no_proxy_is_read_as_go_reads_it),
        cmocka_unit_test(base64_is_read_strictly),
        cmocka_unit_test(a_status_is_read_for_what_it_says),
        cmocka_unit_test(a_token_file_is_read_every_minute_and_kept_when_it_cannot_be),
        cmocka_unit_test(half_of_a_pem_is_none),
        cmocka_unit_test(E18_certificates_are_read_every_five_minutes_and_kept_when_they_cannot_be),
        cmocka_unit_test(I1_in_cluster), cmocka_unit_test(I6_nothing_is_sent_in_clear),
        cmocka_unit_test(I9_only_plugins_that_are_allowed));
}
