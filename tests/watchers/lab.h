/* A fake API server beside the test, its control port, and a loop that runs until something holds.
 */
#ifndef NETAUDITD_TESTS_WATCHERS_LAB_H
#define NETAUDITD_TESTS_WATCHERS_LAB_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "tests/check.h"

#define UNUSED_FN __attribute__((unused))

struct lab {
    pid_t pid;
    int stdin_fd;
    char api[128];
    unsigned control_port;
    char dir[64];
};

UNUSED_FN static const char *lab_path(const struct lab *lab, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, 256, "%s/%s", lab->dir, name);
    return out;
}

UNUSED_FN static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Beside this program's room: build/tests/fake_apiserver. */
UNUSED_FN static bool fake_program(char out[512])
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0) {
        return false;
    }
    self[n] = '\0';
    snprintf(out, 512, "%s/../fake_apiserver", dirname(self));
    return access(out, X_OK) == 0;
}

UNUSED_FN static void lab_dir(struct lab *lab)
{
    memset(lab, 0, sizeof(*lab));
    snprintf(lab->dir, sizeof(lab->dir), "/tmp/watchers-lab-XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
}

UNUSED_FN static void remove_dir(const char *dir)
{
    char *command = xasprintf("rm -rf '%s'", dir);

    if (system(command) != 0) {
        fprintf(stderr, "cannot remove %s\n", dir);
    }
    free(command);
}

/* Starts it with `args` (NULL-terminated; "@name" becomes a path in the lab's directory). False: it
 * is not built. */
UNUSED_FN static bool lab_start(struct lab *lab, const char *const *args)
{
    char program[512], line[512] = "";
    char *argv[40], *paths[40];
    int argc = 0, path_count = 0, out[2], in[2];
    size_t len = 0;

    if (!fake_program(program)) {
        return false;
    }
    lab_dir(lab);
    argv[argc++] = program;
    argv[argc++] = (char *)(uintptr_t) "--listen";
    argv[argc++] = (char *)(uintptr_t) "127.0.0.1:0";
    argv[argc++] = (char *)(uintptr_t) "--die-with-parent";
    for (; *args != NULL && argc < 39; args++) {
        if ((*args)[0] == '@') {
            argv[argc++] = paths[path_count++] = xstrdup(lab_path(lab, *args + 1));
        } else {
            argv[argc++] = (char *)(uintptr_t)*args;
        }
    }
    argv[argc] = NULL;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    lab->pid = fork();
    if (lab->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(program, argv);
        _exit(127);
    }
    while (path_count > 0) {
        free(paths[--path_count]);
    }
    close(in[0]);
    close(out[1]);
    lab->stdin_fd = in[1];
    while (len < sizeof(line) - 1 && read(out[0], line + len, 1) == 1 && line[len] != '\n') {
        len++;
    }
    line[len] = '\0';
    close(out[0]);
    assert_int_equal(
        sscanf(line, "api=%127s control=http://127.0.0.1:%u", lab->api, &lab->control_port), 2);
    return true;
}

UNUSED_FN static void lab_stop(struct lab *lab)
{
    if (lab->pid > 0) {
        kill(lab->pid, SIGTERM);
        waitpid(lab->pid, NULL, 0);
        close(lab->stdin_fd);
    }
    remove_dir(lab->dir);
}

/* Takes the sizes out of a chunked body, in place. */
UNUSED_FN static void dechunk(char *body)
{
    char *from = body, *to = body;
    unsigned long size;

    while ((size = strtoul(from, &from, 16)) > 0) {
        from += 2;
        memmove(to, from, size);
        to += size;
        from += size + 2;
    }
    *to = '\0';
}

/* One call of the control port; the answer's tree is the caller's. */
UNUSED_FN static cJSON *lab_call(const struct lab *lab, const char *method, const char *path,
                                 const char *body)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)lab->control_port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *request = xasprintf("%s %s HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n"
                              "Content-Length: %zu\r\n\r\n%s",
                              method, path, strlen(body), body);
    struct buf answer;
    char piece[65536];
    const char *text;
    cJSON *tree;
    ssize_t n;

    buf_init(&answer, 512U << 20);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        buf_add(&answer, piece, (size_t)n);
    }
    close(fd);
    free(request);
    text = strstr(buf_text(&answer), "\r\n\r\n");
    if (strncmp(buf_text(&answer), "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "control %s %s %s: %.300s\n", method, path, body, buf_text(&answer));
        fail();
    }
    if (text != NULL && strcasestr(buf_text(&answer), "transfer-encoding: chunked") != NULL) {
        dechunk((char *)(uintptr_t)text + 4);
    }
    tree = text != NULL ? cJSON_Parse(text + 4) : NULL;
    buf_deinit(&answer);
    return tree;
}

UNUSED_FN static void lab_do(const struct lab *lab, const char *path, const char *body)
{
    cJSON_Delete(lab_call(lab, "POST", path, body));
}

/* Sum of counts in GET /stats `by` for a verb and kind ("*": any). */
UNUSED_FN static int lab_requests(const struct lab *lab, const char *verb, const char *kind)
{
    cJSON *stats = lab_call(lab, "GET", "/stats", ""), *row;
    int sum = 0;

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(stats, "by"))
    {
        const char *v = cJSON_GetObjectItemCaseSensitive(row, "verb")->valuestring;
        const cJSON *k = cJSON_GetObjectItemCaseSensitive(row, "kind");

        if ((strcmp(verb, "*") == 0 || strcmp(v, verb) == 0) &&
            (strcmp(kind, "*") == 0 || (cJSON_IsString(k) && strcmp(k->valuestring, kind) == 0))) {
            sum += cJSON_GetObjectItemCaseSensitive(row, "count")->valueint;
        }
    }
    cJSON_Delete(stats);
    return sum;
}

UNUSED_FN static void on_lab_timer(uv_timer_t *timer)
{
    (void)timer;
}

/* Turns the loop until `holds` or the time is over; a real server and real sockets need real time.
 */
UNUSED_FN static bool run_until(uv_loop_t *loop, bool (*holds)(void *ctx), void *ctx, unsigned ms)
{
    uint64_t end = clock_mono_ms() + ms;
    uv_timer_t timer;
    bool good;

    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_lab_timer, 5, 5);
    while (!(good = holds(ctx)) && clock_mono_ms() < end) {
        uv_run(loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&timer);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return good;
}

UNUSED_FN static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

UNUSED_FN static void run_for(uv_loop_t *loop, unsigned ms)
{
    run_until(loop, never, NULL, ms);
}

/* Everything must have been closed by now. */
UNUSED_FN static void close_loop(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT("every handle was closed", uv_loop_close(loop), 0);
}

#endif
