/* A text of documents: its encoding, and where it is cut. Room-internal. */
#ifndef NETAUDITD_CLUSTER_YAML_TEXT_H
#define NETAUDITD_CLUSTER_YAML_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct yaml_text {
    const char *text;
    size_t len;
    char *converted; /* when the text was UTF-16 */
    size_t next;     /* where the next piece begins */
    uint32_t next_line;
    const char *chunk; /* the piece */
    size_t chunk_len;
    uint32_t chunk_line;
};

/* `text` is borrowed. NA_EINVAL: broken UTF-16; yaml_text_deinit is called in every case. */
int yaml_text_init(struct yaml_text *r, const char *text, size_t len, struct error *err);
void yaml_text_deinit(struct yaml_text *r);

/* The next piece, from one "---" line to the next. False: no text is left. */
bool yaml_text_next(struct yaml_text *r);
/* Size and UTF-8. */
int yaml_text_check(const struct yaml_text *r, size_t max_bytes, uint32_t *error_line,
                    struct error *err);
/* Where in the piece the first thing stands that is neither white space, comment nor marker. */
size_t yaml_text_content(const struct yaml_text *r, uint32_t *line_no);
/* A brace or bracket is the first character there. */
bool yaml_text_is_json(const struct yaml_text *r, size_t at);

/* One character (below U+110000); its length. */
size_t yaml_utf8_encode(char out[4], uint32_t cp);

#endif
