/* Texts that many rows share get a number: messages, kinds, groups, owners, rules. Loop thread; the
 * numbers are those of tables `text` and `rule`. What outsiders choose cannot fill it: beyond a
 * ceiling texts stay texts. */
#ifndef NETAUDITD_STORE_NAMES_H
#define NETAUDITD_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAMES_MAX = 8192, NAMES_TEXT_MAX_BYTES = 1024, NAMES_RULES_MAX = 65000 };

struct names;

struct names *names_create(void);
void names_destroy(struct names *n);

/* 0 unknown. */
uint32_t names_find(const struct names *n, const char *text);
/* The number that `text` would get; 0 when it is to stay text. */
uint32_t names_next(const struct names *n, const char *text);
void names_add(struct names *n, uint32_t id, const char *text);
uint32_t names_last(const struct names *n); /* the largest number */
void names_each(const struct names *n, void (*fn)(void *ctx, uint32_t id, const char *text),
                void *ctx);

/* 0 unknown. *same false: its category is another one. */
uint32_t names_find_rule(const struct names *n, const char *policy, const char *rule,
                         const char *category, bool *same);
uint32_t names_next_rule(const struct names *n); /* 0: full */
void names_add_rule(struct names *n, uint32_t id, const char *policy, const char *rule,
                    const char *category);

#endif
