/* One run: spawn, read standard output to its end, wait for the exit; whichever of the two comes
 * last ends the run. A run that takes too long or prints too much has its whole process group
 * killed (plugins like to start helpers), and ends the same way. The run owns its handles and
 * outlives a plugin that is destroyed meanwhile. */
#include "watchers/exec_plugin.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"

enum { RUN_HANDLES = 3, READ_BYTES = 16384 };

struct exec_run {
    struct exec_plugin *plugin; /* NULL: destroyed meanwhile */
    uv_process_t process;
    uv_pipe_t output;
    uv_timer_t timer;
    struct buf text;
    char piece[READ_BYTES];
    bool spawned, exited, closed, ended;
    int64_t exit_status;
    int signal;
    struct error failure; /* why it was killed */
    unsigned open_handles;
};

struct exec_plugin {
    uv_loop_t *loop;
    struct exec_config *config;
    uint64_t timeout_ms;
    void (*on_ready)(void *ctx);
    void *ctx;
    struct exec_run *run; /* NULL: nothing runs */
    bool have;
    struct exec_credential credential;
    bool refused; /* by the server: valid no more */
    uint64_t refused_run_ms;
    struct error failure; /* of the last run */
    uint64_t retry_at_ms, retry_delay_ms;
    unsigned runs;
};

struct exec_plugin *exec_plugin_create(uv_loop_t *loop, struct exec_config *config,
                                       uint64_t timeout_ms, void (*on_ready)(void *ctx), void *ctx)
{
    struct exec_plugin *p = xcalloc(1, sizeof(*p));

    p->loop = loop;
    p->config = config;
    p->timeout_ms = timeout_ms > 0 ? timeout_ms : EXEC_TIMEOUT_MS;
    p->on_ready = on_ready;
    p->ctx = ctx;
    p->retry_delay_ms = EXEC_RETRY_MIN_MS;
    return p;
}

/* ---- the end of a run ---- */

static void on_closed(uv_handle_t *handle)
{
    struct exec_run *run = handle->data;

    if (--run->open_handles == 0) {
        if (run->text.data != NULL) {
            explicit_bzero(run->text.data, run->text.len);
        }
        explicit_bzero(run->piece, sizeof(run->piece));
        buf_deinit(&run->text);
        free(run);
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

/* The process handle of one that still dies stays until it is dead: closed before, the child would
 * remain as a zombie. */
static void close_run(struct exec_run *run)
{
    run->ended = true;
    close_handle((uv_handle_t *)&run->output);
    close_handle((uv_handle_t *)&run->timer);
    if (!run->spawned || run->exited) {
        close_handle((uv_handle_t *)&run->process);
    }
}

static void kill_run(struct exec_run *run)
{
    if (run->spawned && !run->exited) {
        kill(-run->process.pid, SIGKILL); /* it leads a group of its own */
    }
}

static int outcome(struct exec_run *run, struct exec_credential *out, struct error *err)
{
    if (run->failure.code != 0) {
        *err = run->failure;
        return err->code;
    }
    if (run->signal != 0) {
        return error_set(err, NA_EAUTH, "was ended by signal %d", run->signal);
    }
    if (run->exit_status != 0) {
        return error_set(err, NA_EAUTH, "ended with status %lld", (long long)run->exit_status);
    }
    return exec_credential_parse(buf_text(&run->text), run->text.len,
                                 run->plugin->config->api_version, out, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void take_credential(struct exec_plugin *p, struct exec_credential *fresh)
{
    struct exec_credential *old = &p->credential;
    bool same = p->have && same_text(fresh->token, old->token) &&
                same_text(fresh->cert, old->cert) && same_text(fresh->key, old->key);

    fresh->serial = old->serial + (same ? 0 : 1);
    exec_credential_deinit(old);
    *old = *fresh;
    p->have = true;
}

static void note_failure(struct exec_plugin *p, const struct error *why)
{
    const char *hint = p->config->install_hint;

    p->failure = *why;
    error_wrap(&p->failure, NA_EAUTH, "exec plugin '%s'", p->config->configured);
    if (hint != NULL && p->runs == 1) {
        log_event(LOG_LEVEL_INFO, "watchers", "hint of the kubeconfig", KV_TEXT("hint", hint));
    }
    p->retry_at_ms = clock_mono_ms() + p->retry_delay_ms;
    p->retry_delay_ms =
        p->retry_delay_ms * 2 < EXEC_RETRY_MAX_MS ? p->retry_delay_ms * 2 : EXEC_RETRY_MAX_MS;
}

static void end_run(struct exec_run *run)
{
    struct exec_plugin *p = run->plugin;
    struct exec_credential fresh = { 0 };
    struct error err = { 0 };

    close_run(run);
    if (p == NULL) {
        return;
    }
    p->run = NULL;
    if (outcome(run, &fresh, &err) == 0) {
        take_credential(p, &fresh);
        p->refused = false;
        p->failure.code = 0;
        p->retry_delay_ms = EXEC_RETRY_MIN_MS;
    } else {
        note_failure(p, &err);
    }
    p->on_ready(p->ctx);
}

static void give_up(struct exec_run *run, const char *sentence)
{
    if (run->failure.code == 0) {
        error_set(&run->failure, NA_EAUTH, "%s", sentence);
    }
    kill_run(run);
    end_run(run);
}

/* ---- libuv ---- */

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
    struct exec_run *run = process->data;

    run->exited = true;
    run->exit_status = status;
    run->signal = signal;
    if (run->ended) {
        close_handle((uv_handle_t *)process);
    } else if (run->closed) {
        end_run(run);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct exec_run *run = handle->data;

    (void)suggested;
    *buf = uv_buf_init(run->piece, sizeof(run->piece));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct exec_run *run = stream->data;

    if (n < 0) {
        uv_read_stop(stream);
        run->closed = true;
        if (run->exited) {
            end_run(run);
        }
    } else if (n > 0 && buf_add(&run->text, buf->base, (size_t)n) != 0) {
        give_up(run, "printed more than 1 MiB");
    }
}

static void on_timeout(uv_timer_t *timer)
{
    give_up(timer->data, "did not end in time");
}

/* ---- the beginning of a run ---- */

static bool overridden(const struct exec_config *c, const char *variable)
{
    size_t len = strcspn(variable, "=") + 1;

    for (char **e = c->env; *e != NULL; e++) {
        if (strncmp(*e, variable, len) == 0) {
            return true;
        }
    }
    return strncmp("KUBERNETES_EXEC_INFO=", variable, len) == 0;
}

/* Ours, less what the kubeconfig sets, then that. *info is the caller's to free, with the array. */
static char **environment(const struct exec_config *c, char **info)
{
    VEC(char *) env = { 0 };

    *info = xasprintf("KUBERNETES_EXEC_INFO=%s", c->info);
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (!overridden(c, *e)) {
            vec_push(&env, *e);
        }
    }
    for (char **e = c->env; *e != NULL; e++) {
        vec_push(&env, *e);
    }
    vec_push(&env, *info);
    vec_push(&env, NULL);
    return env.items;
}

static int spawn(struct exec_plugin *p, struct exec_run *run)
{
    uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE },
                                      { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                        .data.stream = (uv_stream_t *)&run->output },
                                      { .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO } };
    char *info = NULL;
    char **env = environment(p->config, &info);
    uv_process_options_t options = { .file = p->config->command,
                                     .args = p->config->args,
                                     .env = env,
                                     .stdio = stdio,
                                     .stdio_count = 3,
                                     .flags = UV_PROCESS_DETACHED,
                                     .exit_cb = on_exit_status };
    int rc = uv_spawn(p->loop, &run->process, &options);

    free(env);
    free(info);
    return rc;
}

static void start_run(struct exec_plugin *p)
{
    struct exec_run *run = xcalloc(1, sizeof(*run));
    int rc;

    run->plugin = p;
    buf_init(&run->text, EXEC_MAX_OUTPUT_BYTES);
    uv_pipe_init(p->loop, &run->output, 0);
    uv_timer_init(p->loop, &run->timer);
    run->process.data = run->output.data = run->timer.data = run;
    run->open_handles = RUN_HANDLES;
    p->run = run;
    p->runs++;
    p->refused_run_ms = p->refused ? clock_mono_ms() : p->refused_run_ms;
    rc = spawn(p, run);
    if (rc == 0) {
        run->spawned = true;
        uv_read_start((uv_stream_t *)&run->output, on_alloc, on_read);
        uv_timer_start(&run->timer, on_timeout, p->timeout_ms, 0);
    } else {
        /* Told from the loop, like every other end. */
        error_set(&run->failure, NA_EAUTH, "cannot be started: %s", uv_strerror(rc));
        uv_timer_start(&run->timer, on_timeout, 0, 0);
    }
}

/* ---- what others call ---- */

int exec_plugin_get(struct exec_plugin *p, uint64_t now_ms, int64_t wall_ms,
                    const struct exec_credential **out, struct error *err)
{
    bool expired = p->credential.expires_ms != 0 && wall_ms >= p->credential.expires_ms;

    if (p->run != NULL) {
        return NA_EBUSY;
    }
    if (p->failure.code != 0 && now_ms < p->retry_at_ms) {
        /* A credential that was refused may still be right: the refusal may be the server's. */
        if (p->have && !expired) {
            *out = &p->credential;
            return 0;
        }
        *err = p->failure;
        return err->code;
    }
    if (p->have && !expired && !p->refused) {
        *out = &p->credential;
        return 0;
    }
    start_run(p);
    return NA_EBUSY;
}

void exec_plugin_refused(struct exec_plugin *p, uint64_t now_ms)
{
    if (p->run == NULL &&
        (p->refused_run_ms == 0 || now_ms - p->refused_run_ms >= EXEC_REFUSED_GAP_MS)) {
        p->refused = true;
    }
}

uint64_t exec_plugin_serial(const struct exec_plugin *p)
{
    return p->credential.serial;
}

void exec_plugin_destroy(struct exec_plugin *p)
{
    if (p == NULL) {
        return;
    }
    if (p->run != NULL) {
        kill_run(p->run);
        p->run->plugin = NULL;
        close_run(p->run);
    }
    exec_credential_deinit(&p->credential);
    exec_config_destroy(p->config);
    free(p);
}
