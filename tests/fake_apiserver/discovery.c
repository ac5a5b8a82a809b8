#include "discovery.h"

#include <string.h>

void discovery_core(struct buf *out, const char *host, int port)
{
    buf_fmt(out,
            "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[{"
            "\"clientCIDR\":\"0.0.0.0/0\",\"serverAddress\":\"%s:%d\"}]}",
            host, port);
}

static bool first_of_group(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (kind_at(i)->served && strcmp(kind_at(i)->group, kind_at(at)->group) == 0) {
            return false;
        }
    }
    return kind_at(at)->served;
}

static bool first_of_version(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const struct kind *k = kind_at(i);

        if (k->served && strcmp(k->group, kind_at(at)->group) == 0 &&
            strcmp(k->version, kind_at(at)->version) == 0) {
            return false;
        }
    }
    return kind_at(at)->served;
}

/* The members of one APIGroup, without braces. */
static void group_members(struct buf *out, const char *group)
{
    const char *preferred = NULL;

    buf_fmt(out, "\"name\":\"%s\",\"versions\":[", group);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);

        if (strcmp(k->group, group) == 0 && first_of_version(i)) {
            buf_fmt(out, "%s{\"groupVersion\":\"%s\",\"version\":\"%s\"}",
                    preferred != NULL ? "," : "", k->api_version, k->version);
            preferred = preferred != NULL ? preferred : k->version;
        }
    }
    buf_fmt(out, "],\"preferredVersion\":{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}", group,
            preferred != NULL ? preferred : "", preferred != NULL ? preferred : "");
}

void discovery_groups(struct buf *out)
{
    bool any = false;

    buf_str(out, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    for (size_t i = 0; i < kind_count(); i++) {
        if (kind_at(i)->group[0] != '\0' && first_of_group(i)) {
            buf_str(out, any ? ",{" : "{");
            group_members(out, kind_at(i)->group);
            buf_str(out, "}");
            any = true;
        }
    }
    buf_str(out, "]}");
}

bool discovery_group(struct buf *out, const char *group)
{
    if (group[0] == '\0' || !group_version_known(group, NULL)) {
        return false;
    }
    buf_str(out, "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
    group_members(out, group);
    buf_str(out, "}");
    return true;
}

static void resource(struct buf *out, const struct kind *k)
{
    const char *names = k->short_names;

    buf_fmt(out,
            "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\",\"verbs\":["
            "\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\","
            "\"watch\"]",
            k->resource, k->singular, k->namespaced ? "true" : "false", k->name);
    if (names[0] != '\0') {
        buf_str(out, ",\"shortNames\":[");
        while (*names != '\0') {
            size_t n = strcspn(names, ",");

            buf_fmt(out, "%s\"%.*s\"", names == k->short_names ? "" : ",", (int)n, names);
            names += n + (names[n] == ',');
        }
        buf_str(out, "]");
    }
    if (strcmp(k->resource, "pods") == 0 || strcmp(k->resource, "services") == 0 ||
        strcmp(k->group, "apps") == 0) {
        buf_str(out, ",\"categories\":[\"all\"]");
    }
    buf_str(out, "}");
}

bool discovery_resources(struct buf *out, const char *group, const char *version)
{
    bool any = false;

    if (!group_version_known(group, version)) {
        return false;
    }
    buf_fmt(out, "{\"kind\":\"APIResourceList\",%s\"groupVersion\":\"%s%s%s\",\"resources\":[",
            group[0] != '\0' ? "\"apiVersion\":\"v1\"," : "", group, group[0] != '\0' ? "/" : "",
            version);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);

        if (k->served && strcmp(k->group, group) == 0 && strcmp(k->version, version) == 0) {
            buf_str(out, any ? "," : "");
            resource(out, k);
            if (strcmp(k->group, "apps") == 0) {
                buf_fmt(
                    out,
                    ",{\"name\":\"%s/scale\",\"singularName\":\"\",\"namespaced\":true,\"group\":"
                    "\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\",\"verbs\":[\"get\","
                    "\"patch\","
                    "\"update\"]}",
                    k->resource);
            }
            any = true;
        }
    }
    buf_str(out, "]}");
    return true;
}

void openapi_index(struct buf *out)
{
    bool any = false;

    buf_str(out, "{\"paths\":{");
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        const char *root = k->group[0] != '\0' ? "apis" : "api";

        if (first_of_version(i)) {
            buf_fmt(out, "%s\"%s/%s\":{\"serverRelativeURL\":\"/openapi/v3/%s/%s?hash=fake\"}",
                    any ? "," : "", root, k->api_version, root, k->api_version);
            any = true;
        }
    }
    buf_str(out, "}}");
}

bool openapi_group_version(struct buf *out, const char *group, const char *version)
{
    bool any = false;

    if (!group_version_known(group, version)) {
        return false;
    }
    buf_str(out, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"fake\"},"
                 "\"paths\":{");
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);

        if (!k->served || strcmp(k->group, group) != 0 || strcmp(k->version, version) != 0) {
            continue;
        }
        buf_fmt(out,
                "%s\"/%s/%s/%s%s/"
                "{name}\":{\"patch\":{\"parameters\":[{\"name\":\"fieldValidation\",\"in\":"
                "\"query\",\"schema\":{\"type\":\"string\"}},{\"name\":\"dryRun\",\"in\":\"query\","
                "\"schema\":{"
                "\"type\":\"string\"}}],\"responses\":{},\"x-kubernetes-group-version-kind\":{"
                "\"group\":\"%s\","
                "\"version\":\"%s\",\"kind\":\"%s\"}}}",
                any ? "," : "", group[0] != '\0' ? "apis" : "api", k->api_version,
                k->namespaced ? "namespaces/{namespace}/" : "", k->resource, group, version,
                k->name);
        any = true;
    }
    buf_str(out, "},\"components\":{\"schemas\":{}}}");
    return true;
}
