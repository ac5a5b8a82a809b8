#include "rules/workload_field.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { OF_POD, OF_CRON_JOB, OF_TEMPLATE };

static int form_of(const struct workload *w)
{
    return strcmp(w->kind->text, "Pod") == 0       ? OF_POD
           : strcmp(w->kind->text, "CronJob") == 0 ? OF_CRON_JOB
                                                   : OF_TEMPLATE;
}

#define FORMS(path)                                                                                \
    {                                                                                              \
        path, "spec.jobTemplate.spec.template." path, "spec.template." path                        \
    }

static const struct {
    const char *name, *paths[3];
} spec_fields[] = {
    { "hostNetwork", FORMS("spec.hostNetwork") },
    { "containers", FORMS("spec.containers") },
    { "dnsPolicy", FORMS("spec.dnsPolicy") },
},
  metadata_fields[] = {
      { "labels", FORMS("metadata.labels") },
      { "annotations", FORMS("metadata.annotations") },
  };

const char *workload_spec_field(const struct workload *w, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(spec_fields); i++) {
        if (strcmp(spec_fields[i].name, name) == 0) {
            return spec_fields[i].paths[form_of(w)];
        }
    }
    abort(); /* our own mistake */
}

const char *workload_metadata_field(const struct workload *w, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(metadata_fields); i++) {
        if (strcmp(metadata_fields[i].name, name) == 0) {
            return metadata_fields[i].paths[form_of(w)];
        }
    }
    abort(); /* our own mistake */
}
