/* The survey tools whose exports are known. A further one is its own file and one line in `tools`. */
#include "reader.h"

#include <string.h>

static int csv_recognise(const rsp_table_data *t, char why[160]) {
    (void) t;
    snprintf(why, 160, "no other tool's signs");
    return 1;
}

static const char *csv_own_column(const char *folded) {
    (void) folded;
    return NULL;
}

const rsp_tool rsp_tool_csv = {"csv", csv_recognise, csv_own_column, false, false, false};

static const rsp_tool *const tools[] = {&rsp_tool_limesurvey, &rsp_tool_csv};
enum { N_TOOLS = sizeof tools / sizeof tools[0] };

const rsp_tool *rsp_tool_find(const char *format, const rsp_table_data *t, char why[160]) {
    const rsp_tool *best = NULL;
    int best_score = 0;
    why[0] = '\0';
    for (size_t k = 0; k < N_TOOLS; k++) {
        if (strcmp(format, "auto") != 0) {
            if (strcmp(format, tools[k]->name) == 0) return tools[k];
            continue;
        }
        char evidence[160];
        int score = tools[k]->recognise(t, evidence);
        if (score > best_score) {
            best = tools[k];
            best_score = score;
            memcpy(why, evidence, sizeof evidence);
        }
    }
    return best;
}

const char *rsp_tool_names(char text[160]) {
    int at = snprintf(text, 160, "auto");
    for (size_t k = 0; k < N_TOOLS; k++) at += snprintf(text + at, 160 - (size_t) at, ", %s", tools[k]->name);
    return text;
}
