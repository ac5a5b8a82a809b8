/* What the files of the state machine share: reflector_moves.c (how it moves), reflector_refused.c
 * (what refusals mean), reflector_step.c (events and time). Nobody else includes this. */
#ifndef NETAUDITD_WATCHERS_REFLECTOR_PRIVATE_H
#define NETAUDITD_WATCHERS_REFLECTOR_PRIVATE_H

#include "watchers/reflector_step.h"

/* Something a watch can begin at. */
bool machine_version_usable(const char *text);
uint64_t machine_random(struct reflector_machine *m);
bool machine_in_flight(const struct reflector_machine *m);

/* The only way from phase to phase: by the table, with its counter. */
void machine_move(struct reflector_machine *m, enum reflector_phase to, struct reflector_order *o,
                  enum reflector_edge edge);
void machine_set_state(struct reflector_machine *m, enum kind_state state, const char *reason,
                       struct reflector_order *o);
/* For last_failure and the log (KUBE_CLIENT D11). */
void machine_failed(struct reflector_machine *m, uint64_t now_ms, const char *text,
                    struct reflector_order *o);
void machine_succeeded(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o);

void machine_drop_generation(struct reflector_machine *m, struct reflector_order *o);
/* A list from its beginning is wanted. */
void machine_want_list(struct reflector_machine *m, uint64_t now_ms, enum reflector_from from);
/* Sends what is wanted. */
void machine_send(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o,
                  enum reflector_edge edge);
/* Sends it after a pause of at least `least_ms`. */
void machine_wait(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                  struct reflector_order *o, enum reflector_edge edge);

/* The request failed because of `text` and is made again after a pause. */
void machine_retry(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                   const char *text, struct reflector_order *o, enum reflector_edge edge);
/* The same where going back to the same version may not mend it, by what was in flight. */
void machine_retry_watch(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                         const char *text, struct reflector_order *o, enum reflector_edge edge);
void machine_retry_stream(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                          const char *text, struct reflector_order *o, enum reflector_edge edge);
void machine_retry_any(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                       const char *text, struct reflector_order *o, enum reflector_edge edge);
/* Streaming lists do not work here: the same by LIST, at once. */
void machine_fall_back(struct reflector_machine *m, uint64_t now_ms, const char *text,
                       struct reflector_order *o, enum reflector_edge edge);

/* RE_REFUSED and RE_ERROR_EVENT. */
void machine_refused(struct reflector_machine *m, const struct reflector_event *ev,
                     struct reflector_order *o);

#endif
