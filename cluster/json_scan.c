/* Where a JSON value ends. Every byte of every list and watch passes here at least once, so the
 * container scan takes 64 bytes at a time: bit masks of quotes and brackets, strings masked out by
 * a prefix XOR, and depth followed by counting bits in groups of 16. Single bits are looked at only
 * where the depth could reach its end. */
#include "cluster/json_scan.h"

#include <string.h>

#include "base/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

bool json_scan_plain;

/* The state of a scan between two pieces of one container. */
struct run {
    uint32_t depth, max_depth;
    bool in_string, escaped, too_deep;
};

/* One byte; true when it closed the outermost container. A backslash outside strings, which no JSON
 * has, hides a quote there as well: the block scan cannot tell the two, and both must answer the
 * same. */
static inline bool step(struct run *r, char c)
{
    bool escaped = r->escaped;

    r->escaped = c == '\\' && !escaped;
    if (c == '"') {
        r->in_string = r->in_string == escaped;
    } else if (r->in_string) {
        return false;
    } else if (c == '{' || c == '[') {
        r->depth++;
        r->too_deep = r->too_deep || r->depth > r->max_depth;
    } else if (c == '}' || c == ']') {
        r->depth--;
        return r->depth == 0;
    }
    return false;
}

/* The byte after the one that brings the depth to 0 (*done), or `end`. */
static const char *run_plain(struct run *r, const char *at, const char *end, bool *done)
{
    for (; at < end; at++) {
        if (step(r, *at)) {
            *done = true;
            return at + 1;
        }
    }
    return end;
}

#ifdef __SSE2__
enum { BLOCK = 64, GROUP = 16 };

struct masks {
    uint64_t quotes, opens, closes, backslashes;
};

static inline uint64_t bits_of(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

#define EQUAL_BITS(value)                                                                          \
    bits_of(_mm_cmpeq_epi8(v0, (value)), _mm_cmpeq_epi8(v1, (value)), _mm_cmpeq_epi8(v2, (value)), \
            _mm_cmpeq_epi8(v3, (value)))

static inline void load_masks(const char *at, struct masks *m)
{
    const __m128i fold = _mm_set1_epi8(0x20); /* '[' and '{' differ in this bit, ']' and '}' too */
    __m128i v0 = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i v1 = _mm_loadu_si128((const __m128i *)(const void *)(at + 16));
    __m128i v2 = _mm_loadu_si128((const __m128i *)(const void *)(at + 32));
    __m128i v3 = _mm_loadu_si128((const __m128i *)(const void *)(at + 48));
    __m128i slash = _mm_set1_epi8('\\');
    __m128i any = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v0, slash), _mm_cmpeq_epi8(v1, slash)),
                               _mm_or_si128(_mm_cmpeq_epi8(v2, slash), _mm_cmpeq_epi8(v3, slash)));

    m->quotes = EQUAL_BITS(_mm_set1_epi8('"'));
    m->backslashes = _mm_movemask_epi8(any) != 0 ? EQUAL_BITS(slash) : 0;
    v0 = _mm_or_si128(v0, fold);
    v1 = _mm_or_si128(v1, fold);
    v2 = _mm_or_si128(v2, fold);
    v3 = _mm_or_si128(v3, fold);
    m->opens = EQUAL_BITS(_mm_set1_epi8('{'));
    m->closes = EQUAL_BITS(_mm_set1_epi8('}'));
}

/* Bit i: an odd number of bits at or below i. */
static inline uint64_t prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

/* The characters that a backslash escapes; `carry` goes from block to block. */
static inline uint64_t escaped_bits(uint64_t backslashes, bool *carry)
{
    const uint64_t even = 0x5555555555555555U;
    uint64_t follows, odd_starts, even_sequences;

    backslashes &= ~(uint64_t)*carry;
    follows = backslashes << 1 | (uint64_t)*carry;
    odd_starts = backslashes & ~even & ~follows;
    *carry = __builtin_add_overflow(odd_starts, backslashes, &even_sequences);
    return (even ^ even_sequences << 1) & follows;
}

/* Four counts of 16 bits each. */
static inline uint64_t count_groups(uint64_t x)
{
    x = x - (x >> 1 & 0x5555555555555555U);
    x = (x & 0x3333333333333333U) + (x >> 2 & 0x3333333333333333U);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0FU;
    return (x + (x >> 8)) & 0x00FF00FF00FF00FFU;
}

/* The bits of one group in turn; the index after the last close, or 0 when the depth stays above 0.
 */
static unsigned walk_group(uint32_t *depth, uint32_t max_depth, bool *too_deep, uint64_t opens,
                           uint64_t closes, unsigned from)
{
    uint64_t group = (uint64_t)0xFFFF << from, brackets = (opens | closes) & group;

    while (brackets != 0) {
        unsigned at = (unsigned)__builtin_ctzll(brackets);

        brackets &= brackets - 1;
        if ((opens >> at & 1) != 0) {
            ++*depth;
            *too_deep = *too_deep || *depth > max_depth;
        } else if (--*depth == 0) {
            return at + 1;
        }
    }
    return 0;
}

/* Whole blocks while there are any; `at` is where to go on. The state is in locals so that it stays
 * in registers. */
static const char *run_blocks(struct run *r, const char *at, const char *end, bool *done)
{
    uint64_t inside_before = (uint64_t) - (int64_t)r->in_string;
    uint32_t depth = r->depth, max_depth = r->max_depth;
    bool carry = r->escaped;

    for (; end - at >= BLOCK; at += BLOCK) {
        struct masks m;
        uint64_t inside, open_counts, close_counts;

        load_masks(at, &m);
        if (__builtin_expect(m.backslashes != 0 || carry, 0)) {
            m.quotes &= ~escaped_bits(m.backslashes, &carry);
        }
        inside = prefix_xor(m.quotes) ^ inside_before;
        inside_before = (uint64_t)((int64_t)inside >> 63);
        m.opens &= ~inside;
        m.closes &= ~inside;
        if ((m.opens | m.closes) == 0) {
            continue;
        }
        open_counts = count_groups(m.opens);
        close_counts = count_groups(m.closes);
#define GROUP_STEP(from)                                                                           \
    do {                                                                                           \
        uint32_t opens = (uint32_t)(open_counts >> (from)&0xFF);                                   \
        uint32_t closes = (uint32_t)(close_counts >> (from)&0xFF);                                 \
                                                                                                   \
        if (__builtin_expect(closes < depth && depth + opens <= max_depth, 1)) {                   \
            depth += opens - closes;                                                               \
        } else {                                                                                   \
            uint32_t own = depth;                                                                  \
            unsigned used = walk_group(&own, max_depth, &r->too_deep, m.opens, m.closes, (from));  \
                                                                                                   \
            depth = own;                                                                           \
            if (used > 0) {                                                                        \
                /* What the block holds after the end is not ours. */                              \
                r->in_string = false;                                                              \
                r->escaped = false;                                                                \
                r->depth = 0;                                                                      \
                *done = true;                                                                      \
                return at + used;                                                                  \
            }                                                                                      \
        }                                                                                          \
    } while (0)
        GROUP_STEP(0);
        GROUP_STEP(GROUP);
        GROUP_STEP(2 * GROUP);
        GROUP_STEP(3 * GROUP);
#undef GROUP_STEP
    }
    r->in_string = inside_before != 0;
    r->escaped = carry;
    r->depth = depth;
    return run_plain(r, at, end, done);
}
#endif

static const char *run_feed(struct run *r, const char *at, const char *end, bool *done)
{
#ifdef __SSE2__
    if (!json_scan_plain) {
        return run_blocks(r, at, end, done);
    }
#endif
    return run_plain(r, at, end, done);
}

const char *json_skip_string(const char *at, const char *end, bool *escapes)
{
    while (at < end) {
#ifdef __SSE2__
        while (!json_scan_plain && end - at >= 16) {
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
            int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                                       _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

            if (found != 0) {
                at += __builtin_ctz((unsigned)found);
                break;
            }
            at += 16;
        }
        if (at == end) {
            break;
        }
#endif
        if (*at == '"') {
            return at + 1;
        }
        if (*at == '\\') {
            *escapes = true;
            at++;
            if (at == end) {
                break;
            }
        }
        at++;
    }
    return NULL;
}

static inline bool ends_scalar(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' ||
           c == ':' || c == '"' || c == '{' || c == '[';
}

const char *json_skip_value(const char *at, const char *end, unsigned max_depth, bool *too_deep)
{
    const char *start = at;

    if (at == end) {
        return NULL;
    }
    if (*at == '"') {
        bool escapes;

        return json_skip_string(at + 1, end, &escapes);
    }
    if (*at == '{' || *at == '[') {
        struct run r = { .depth = 1, .max_depth = max_depth };
        bool done = false;

        if (max_depth == 0) {
            *too_deep = true;
            return NULL;
        }
        at = run_feed(&r, at + 1, end, &done);
        *too_deep = *too_deep || r.too_deep;
        return done && !r.too_deep ? at : NULL;
    }
    while (at < end && !ends_scalar(*at)) {
        at++;
    }
    return at > start ? at : NULL;
}

/* A string that is a whole value: its state is kept byte by byte, it is rare. */
static size_t feed_string(struct json_end *s, const char *data, size_t len, bool *done)
{
    for (size_t i = 0; i < len; i++) {
        if (s->escaped) {
            s->escaped = false;
        } else if (data[i] == '\\') {
            s->escaped = true;
        } else if (data[i] == '"') {
            s->in_string = false;
            *done = true;
            return i + 1;
        }
    }
    return len;
}

static size_t feed_start(struct json_end *s, const char *data, size_t len, bool *done)
{
    const char *at = json_space(data, data + len);

    if (at == data + len) {
        return len;
    }
    s->started = true;
    switch (*at) {
    case '{':
    case '[':
        s->depth = 1;
        break;
    case '"':
        s->in_string = true;
        break;
    case '}':
    case ']':
    case ',':
    case ':':
        *done = true;
        break;
    default:
        s->scalar = true;
        break;
    }
    return (size_t)(at - data) + 1;
}

size_t json_end_feed(struct json_end *s, const char *data, size_t len, bool *done)
{
    size_t used = 0;

    *done = false;
    if (!s->started) {
        used = feed_start(s, data, len, done);
        if (*done) {
            return used;
        }
    }
    if (s->depth > 0) {
        struct run r = { s->depth, JSON_MAX_DEPTH, s->in_string, s->escaped, s->too_deep };
        const char *at = run_feed(&r, data + used, data + len, done);

        s->depth = r.depth;
        s->in_string = r.in_string;
        s->escaped = r.escaped;
        s->too_deep = r.too_deep;
        return (size_t)(at - data);
    }
    if (s->in_string) {
        return used + feed_string(s, data + used, len - used, done);
    }
    while (s->scalar && used < len) {
        if (ends_scalar(data[used])) {
            *done = true;
            break;
        }
        used++;
    }
    return used;
}

bool json_is_utf8(const char *text, size_t len)
{
    size_t i = 0;
    uint64_t word;

    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        if ((word & 0x8080808080808080U) != 0) {
            return text_is_utf8(text + i, len - i);
        }
    }
    for (; i < len; i++) {
        if ((text[i] & 0x80) != 0) {
            return text_is_utf8(text + i, len - i);
        }
    }
    return true;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static bool hex4(const char *at, const char *end, uint32_t *out)
{
    uint32_t value = 0;

    if (end - at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* The character after a "\u"; U+FFFD for halves and what is no number. Moves *at past it. */
static uint32_t unescape_unicode(const char **at, const char *end)
{
    uint32_t high, low;

    if (!hex4(*at, end, &high)) {
        return 0xFFFD;
    }
    *at += 4;
    if (high >= 0xD800 && high < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        hex4(*at + 2, end, &low) && low >= 0xDC00 && low < 0xE000) {
        *at += 6;
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    return high >= 0xD800 && high < 0xE000 ? 0xFFFD : high;
}

size_t json_unescape(const char *from, const char *to, char *out, size_t size)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t len = 0;

    while (from < to) {
        char piece[4] = { *from };
        size_t n = 1;

        if (*from++ == '\\' && from < to) {
            const char *known = *from != '\0' ? strchr(plain, *from) : NULL;

            if (known != NULL) {
                piece[0] = meant[known - plain];
                from++;
            } else if (*from++ == 'u') {
                n = put_utf8(unescape_unicode(&from, to), piece);
            }
        }
        if (len + n + 1 > size) {
            break;
        }
        memcpy(out + len, piece, n);
        len += n;
    }
    out[len] = '\0';
    return len;
}
