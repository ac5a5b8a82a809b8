#include "watchers/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_decode(const char *text, char **out, size_t *len)
{
    char *data = xmalloc(strlen(text) / 4 * 3 + 4);
    size_t count = 0, digits = 0, padding = 0;
    uint32_t bits = 0;

    for (; *text != '\0'; text++) {
        const char *at;

        if (*text == '\n' || *text == '\r') {
            continue;
        }
        at = strchr(alphabet, *text);
        if (*text == '=' && digits % 4 + padding >= 2 && padding < 2) {
            padding++;
            continue;
        }
        if (at == NULL || padding > 0) {
            free(data);
            return false;
        }
        bits = bits << 6 | (uint32_t)(at - alphabet);
        digits++;
        if (digits % 4 == 0) {
            data[count++] = (char)(bits >> 16);
            data[count++] = (char)(bits >> 8);
            data[count++] = (char)bits;
        }
    }
    if ((digits + padding) % 4 != 0 || digits % 4 == 1) {
        free(data);
        return false;
    }
    if (digits % 4 == 2) {
        data[count++] = (char)(bits >> 4);
    } else if (digits % 4 == 3) {
        data[count++] = (char)(bits >> 10);
        data[count++] = (char)(bits >> 2);
    }
    data[count] = '\0';
    *out = data;
    *len = count;
    return true;
}

char *base64_encode(const char *data, size_t len)
{
    char *out = xmalloc((len + 2) / 3 * 4 + 1), *to = out;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)(unsigned char)data[i] << 16;

        bits |= have > 1 ? (uint32_t)(unsigned char)data[i + 1] << 8 : 0;
        bits |= have > 2 ? (uint32_t)(unsigned char)data[i + 2] : 0;
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = have > 1 ? alphabet[bits >> 6 & 63] : '=';
        *to++ = have > 2 ? alphabet[bits & 63] : '=';
    }
    *to = '\0';
    return out;
}
