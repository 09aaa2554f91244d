/* The command line. */
#include "base/ending.h"
#include "base/ranks.h"
#include "responsive/batch.h"
#include "responsive/intake.h"
#include "responsive/study.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct arguments {
    const char *out, *lang_first;
    size_t n_only, n_languages, n_words;
    const char **only, **languages, **words;
    int jobs;
    size_t n, nights;
    uint64_t seed;
    bool quiet, help, reference, force, json, explain;
};

static bool split_list(rsp_arena *a, const char *text, const char ***items, size_t *n) {
    size_t capacity = 1;
    for (const char *c = text; *c; c++) capacity += *c == ',';
    *items = RSP_ARRAY(a, const char *, capacity);
    *n = 0;
    for (const char *from = text;; from++) {
        size_t length = strcspn(from, ",");
        if (!length) return false;
        (*items)[(*n)++] = rsp_strndup(a, from, length);
        from += length;
        if (!*from) return true;
    }
}

static bool whole_number(const char *text, uint64_t most, uint64_t *value) {
    char *end;
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 19) return false;
    *value = strtoull(text, &end, 10);
    return *value <= most;
}

static int verb_run(const struct arguments *a) {
    rsp_run_options o = {.dir = a->words[0],
                         .out = a->out,
                         .jobs = a->jobs,
                         .n_only = a->n_only,
                         .only = a->only,
                         .n_languages = a->n_languages,
                         .languages = a->languages,
                         .quiet = a->quiet,
                         .force = a->force,
                         .json = a->json,
                         .explain = a->explain};
    return rsp_run(&o);
}

static int verb_check(const struct arguments *a) { return rsp_check(a->words[0]); }

static int verb_inspect(const struct arguments *a) {
    rsp_diag *d = rsp_diag_new();
    rsp_inspect(a->words, a->n_words, a->json, stdout, d);
    rsp_diag_print(d, stderr, false, 0);
    int status = rsp_diag_status(d);
    rsp_diag_free(d);
    return status;
}

/* DIR, and the files behind --from, which is one of them. */
static int verb_new(const struct arguments *a) {
    rsp_diag *d = rsp_diag_new();
    if (rsp_new(a->words[0], a->words + 1, a->n_words - 1, d))
        printf("%s: a draft; look at survey.csv, choices.csv and study.yaml, then: responsive run %s\n", a->words[0],
               a->words[0]);
    rsp_diag_print(d, stderr, false, 0);
    int status = rsp_diag_status(d);
    rsp_diag_free(d);
    return status;
}

static int verb_simulate(const struct arguments *a) { return rsp_simulate(a->words[0], a->out, a->n, a->seed); }
static int verb_rehearse(const struct arguments *a) {
    rsp_rehearse_options o = {.dir = a->words[0],
                              .out = a->out,
                              .nights = a->nights,
                              .n = a->n,
                              .seed = a->seed,
                              .jobs = a->jobs,
                              .quiet = a->quiet};
    return rsp_rehearse(&o);
}

static int verb_show(const struct arguments *a) {
    return rsp_show_command(a->words[0], a->out, a->words[1], a->lang_first);
}
static int verb_follow(const struct arguments *a) { return rsp_follow(a->words[0], a->words[1], a->out); }
static int verb_forget(const struct arguments *a) { return rsp_forget(a->words[0], a->words[1], a->out); }
static int verb_verify(const struct arguments *a) { return rsp_verify(a->words[0]); }

static int verb_selftest(const struct arguments *a) {
    rsp_threads_set(1);
    return rsp_selftest(a->json);
}

static int verb_diff(const struct arguments *a) { return rsp_diff(a->words[0], a->words[1]); }

static int verb_schema(const struct arguments *a) {
    rsp_buf b = {0};
    if (a->reference) rsp_study_reference(&b);
    else rsp_study_schema(&b);
    fwrite(b.data, 1, b.length, stdout);
    rsp_buf_free(&b);
    return 0;
}

static int verb_manual(const struct arguments *a);

struct verb {
    const char *name, *usage, *summary, *help;
    size_t least, most;  /* words */
    const char *options; /* letters of the options it takes: o j O l n N s q r f J x */
    int (*run)(const struct arguments *);
};

static const struct verb VERBS[] = {
    {"run", "run DIR [--out OUT] [--jobs N] [--only ID,...] [--lang L,...] [--force] [--explain] [--quiet] [--json]",
     "read, clean, weight, compute and publish the study in DIR",
     "Publishes OUT/<study>/<run> and moves OUT/<study>/latest to it, or leaves everything as it was.\n"
     "  --out OUT     folder of publications (default: out)\n"
     "  --jobs N      threads (default: as many as there are processors); results do not depend on it\n"
     "  --only ID,... these analyses only\n"
     "  --lang L,...  these languages only\n"
     "  --force       publish although nothing has changed since the publication that stands\n"
     "  --explain     say of each station why it ran or was taken from the cache\n"
     "  --quiet       no progress; errors and warnings still go to stderr\n"
     "  --json        no progress; one line with the outcome as JSON, for monitoring\n",
     1, 1, "ojOlqfJx", verb_run},
    {"check", "check DIR", "everything that can be found wrong with the study in DIR without computing", "", 1, 1, "",
     verb_check},
    {"inspect", "inspect FILE... [--json]", "what an export file is: tool, encoding, delimiter, rows, columns, doubts",
     "Never prints an answer.\n  --json        the same for programs\n", 1, 1000, "J", verb_inspect},
    {"new", "new DIR --from FILE...", "draft a study in the new folder DIR from exports of its questionnaire",
     "Writes survey.csv, choices.csv and study.yaml; the draft runs as it is.\n"
     "A questionnaire among the files is used: LimeSurvey's structure (.lss, .txt), an XLSForm workbook, REDCap's "
     "data\n"
     "dictionary, syntax files for R and SPSS.\n"
     "  --from FILE...  exports of the answers, of one questionnaire\n",
     2, 1000, "F", verb_new},
    {"simulate", "simulate DIR --out FOLDER [--n N] [--seed S]",
     "write made-up exports of the study's questionnaire, in LimeSurvey's format",
     "One file a country, in its language, from the latent structure under `simulate` in study.yaml.\n"
     "  --out FOLDER  where to write\n"
     "  --n N         respondents in all (default: as the study says)\n"
     "  --seed S      seed of the random streams (default: 1)\n",
     1, 1, "ons", verb_simulate},
    {"rehearse", "rehearse DIR --out FOLDER [--nights N] [--n N] [--seed S] [--jobs N] [--quiet]",
     "what the study would find: many nights on made-up answers, none of them published",
     "Writes FOLDER/nights.csv, for each result: the nights that gave one, mean and standard deviation of the "
     "estimates,\n"
     "what the standard errors say (root mean square), the share of 95 % intervals that hold the mean (coverage) and "
     "of\n"
     "tests with p < 0.05 (significant: power where there is an effect). Under mpirun nights are dealt out over "
     "ranks.\n"
     "  --out FOLDER  where to write\n"
     "  --nights N    how many (default: 100)\n"
     "  --n N         respondents a night (default: as the study says)\n"
     "  --seed S      seed of the first night, the next ones follow (default: 1)\n"
     "  --jobs N      threads (default: as many as there are processors); results do not depend on it\n"
     "  --quiet       no progress\n",
     1, 1, "onNsjq", verb_rehearse},
    {"show", "show DIR|RUN ID [--out OUT] [--lang L]",
     "a result of the latest run of the study in DIR, or of the run in the folder RUN, in the terminal",
     "RUN is the folder of any publication, as it was published: the study need not be at hand.\n"
     "ID is an analysis of study.yaml, or `weights`, `cleaning`, `response`.\n"
     "  --out OUT     folder of publications of DIR (default: out)\n"
     "  --lang L      language of the labels (default: the terminal's if it is published, else the study's first)\n",
     2, 2, "lo", verb_show},
    {"follow", "follow DIR ID [--out OUT]",
     "one respondent's way through the study in DIR, from the export to the analyses",
     "Read, matched, cleaned, weighted, counted or set aside, with the reasons, as a run would tonight; nothing is "
     "published.\n"
     "The respondent's answers are printed: mind who sees the terminal.\n"
     "ID is the respondent's id as the exports have it, or the pseudonym or FILE:LINE of quality/cleaning.csv.\n"
     "  --out OUT     folder of publications, whose memory says who waits (default: out)\n",
     2, 2, "o", verb_follow},
    {"forget", "forget DIR ID [--out OUT]", "remove a respondent from everything that is kept of the study in DIR",
     "ID is the respondent's id as the exports have it, or the pseudonym. Caches are removed, later runs set the row "
     "aside\n"
     "as `forgotten`. Says which exports and publications may still hold the answers, and what to do.\n"
     "  --out OUT     folder of publications (default: out)\n",
     2, 2, "o", verb_forget},
    {"diff", "diff RUN RUN", "what moved between two publications, and why",
     "Rows added and removed, estimates that moved by more than their standard error, verdicts that flipped; which "
     "exports,\n"
     "study files or program changed. Ends with 1 if anything did.\n",
     2, 2, "", verb_diff},
    {"verify", "verify RUN", "hold the files of a run against its manifest", "", 1, 1, "", verb_verify},
    {"selftest", "selftest [--json]", "hold this program against certified values and against other programs' results",
     "Prints to how many significant digits it agrees. Ends with 1 if to fewer than promised.\n"
     "  --json        the same for programs\n",
     0, 0, "J", verb_selftest},
    {"schema", "schema [--reference]", "print the JSON schema of study.yaml",
     "  --reference   the reference of its keys as a table in Markdown instead\n", 0, 0, "r", verb_schema},
    {"manual", "manual man|bash", "print the manual page (roff), or what bash needs to complete commands", "", 1, 1, "",
     verb_manual},
};
enum { N_VERBS = sizeof VERBS / sizeof *VERBS };

static const char EXIT_STATUS[] =
    "Exit status: 0 done; 1 done, but something needs a look; 2 wrong usage; 3 wrong study specification;\n"
    "4 unreadable or inconsistent input data; 5 could not write; 6 another run holds the lock;\n"
    "70 out of memory, or a bug: stderr says which.\n";

static void print_help(FILE *to) {
    fprintf(to, "responsive %s: a batch analytics engine for questionnaires\n\n", RSP_VERSION);
    for (size_t k = 0; k < N_VERBS; k++) fprintf(to, "  responsive %s\n      %s\n", VERBS[k].usage, VERBS[k].summary);
    fprintf(to, "\n  responsive --version, responsive --help, responsive VERB --help\n\n%s", EXIT_STATUS);
}

static int usage_error(const struct verb *v, const char *what, const char *which) {
    fprintf(stderr, "responsive: %s%s%s\n", what, *which ? ": " : "", which);
    if (v) fprintf(stderr, "usage: responsive %s\n", v->usage);
    else fprintf(stderr, "see: responsive --help\n");
    return RSP_ERR_USAGE;
}

static const struct {
    struct option option;
    char letter;
} OPTIONS[] = {{{"out", required_argument, NULL, 'o'}, 'o'},  {{"jobs", required_argument, NULL, 'j'}, 'j'},
               {{"only", required_argument, NULL, 'O'}, 'O'}, {{"lang", required_argument, NULL, 'l'}, 'l'},
               {{"n", required_argument, NULL, 'n'}, 'n'},    {{"seed", required_argument, NULL, 's'}, 's'},
               {{"quiet", no_argument, NULL, 'q'}, 'q'},      {{"help", no_argument, NULL, 'h'}, 'h'},
               {{"from", no_argument, NULL, 'F'}, 'F'},       {{"reference", no_argument, NULL, 'r'}, 'r'},
               {{"force", no_argument, NULL, 'f'}, 'f'},      {{"json", no_argument, NULL, 'J'}, 'J'},
               {{"explain", no_argument, NULL, 'x'}, 'x'},    {{"nights", required_argument, NULL, 'N'}, 'N'}};
enum { N_OPTIONS = sizeof OPTIONS / sizeof *OPTIONS };

/* Roff takes a line that starts with a point or an apostrophe for a command, and a backslash for an escape. */
static void print_roff(const char *text) {
    bool start = true;
    for (const char *c = text; *c; c++) {
        if (start && (*c == '.' || *c == '\'')) printf("\\&");
        if (*c == '\\') printf("\\e");
        else if (*c == '-') printf("\\-");
        else putchar(*c);
        start = *c == '\n';
    }
}

static void print_man(void) {
    printf(".TH RESPONSIVE 1 \"\" \"responsive %s\" \"User commands\"\n.SH NAME\nresponsive \\- a batch analytics "
           "engine for "
           "questionnaires\n.SH SYNOPSIS\n",
           RSP_VERSION);
    for (size_t k = 0; k < N_VERBS; k++) {
        printf(".B responsive ");
        print_roff(VERBS[k].usage);
        printf("\n.br\n");
    }
    printf(".SH COMMANDS\n");
    for (size_t k = 0; k < N_VERBS; k++) {
        printf(".TP\n.B %s\n", VERBS[k].name);
        print_roff(VERBS[k].summary);
        printf(".\n");
        if (*VERBS[k].help) {
            printf(".nf\n");
            print_roff(VERBS[k].help);
            printf(".fi\n");
        }
    }
    printf(".SH EXIT STATUS\n.nf\n");
    print_roff(EXIT_STATUS);
    printf(".fi\n.SH FILES\nOUT/STUDY/latest is a link to the newest publication, OUT/STUDY/.cache holds rows of "
           "analyses, "
           "OUT/STUDY/.lock the process that runs.\n");
}

static void print_completion(void) {
    printf(
        "_responsive() {\n    local word=${COMP_WORDS[COMP_CWORD]} options=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W \"");
    for (size_t k = 0; k < N_VERBS; k++) printf("%s ", VERBS[k].name);
    printf("--help --version\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t k = 0; k < N_VERBS; k++) {
        printf("        %s) options=\"--help", VERBS[k].name);
        for (size_t j = 0; j < N_OPTIONS; j++)
            if (strchr(VERBS[k].options, OPTIONS[j].letter)) printf(" --%s", OPTIONS[j].option.name);
        printf("\" ;;\n");
    }
    printf("    esac\n    case $word in\n        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\ncomplete -o filenames -F _responsive "
           "responsive\n");
}

static int verb_manual(const struct arguments *a) {
    if (strcmp(a->words[0], "man") == 0) print_man();
    else if (strcmp(a->words[0], "bash") == 0) print_completion();
    else return usage_error(NULL, "manual prints `man` or `bash`, not", a->words[0]);
    return 0;
}

static const char *option_name(int letter) {
    for (size_t k = 0; k < N_OPTIONS; k++)
        if (OPTIONS[k].letter == letter) return OPTIONS[k].option.name;
    return "";
}

/* 0, or the exit status of a usage error. */
static int read_option(int letter, const struct verb *v, struct arguments *a, rsp_arena *arena) {
    uint64_t number = 0;
    if (letter != 'h' && !strchr(v->options, letter))
        return usage_error(v, "this verb does not take the option", option_name(letter));
    switch (letter) {
    case 'o': a->out = optarg; return 0;
    case 'q': a->quiet = true; return 0;
    case 'h': a->help = true; return 0;
    case 'F': return 0; /* the files are words */
    case 'x': a->explain = true; return 0;
    case 'J': a->json = true; return 0;
    case 'f': a->force = true; return 0;
    case 'r': a->reference = true; return 0;
    case 'j':
        if (!whole_number(optarg, 1024, &number) || !number)
            return usage_error(v, "--jobs takes a number from 1 to 1024", optarg);
        a->jobs = (int) number;
        return 0;
    case 'n':
        if (!whole_number(optarg, 100000000, &number))
            return usage_error(v, "--n takes a number of respondents", optarg);
        a->n = (size_t) number;
        return 0;
    case 'N':
        if (!whole_number(optarg, 1000000, &number) || !number)
            return usage_error(v, "--nights takes a number from 1 to 1000000", optarg);
        a->nights = (size_t) number;
        return 0;
    case 's':
        return whole_number(optarg, UINT64_MAX, &a->seed) ? 0 : usage_error(v, "--seed takes a whole number", optarg);
    case 'O':
        return split_list(arena, optarg, &a->only, &a->n_only) ? 0 : usage_error(v, "--only takes ID,ID,...", optarg);
    case 'l':
        if (!split_list(arena, optarg, &a->languages, &a->n_languages))
            return usage_error(v, "--lang takes L,L,...", optarg);
        a->lang_first = a->languages[0];
        return 0;
    default: return usage_error(v, "unknown option, or one without its value", "");
    }
}

static int run_verb(const struct verb *v, int argc, char **argv) {
    struct option options[N_OPTIONS + 1] = {{0}};
    struct arguments a = {.seed = 1, .nights = 100};
    rsp_arena *arena = rsp_arena_new();
    int status = 0, letter;
    for (size_t k = 0; k < N_OPTIONS; k++) options[k] = OPTIONS[k].option;
    opterr = 0;
    while (!status && (letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == '?') status = usage_error(v, "unknown option, or one without its value", argv[optind - 1]);
        else status = read_option(letter, v, &a, arena);
    }
    a.n_words = (size_t) (argc - optind);
    a.words = (const char **) (argv + optind);
    if (!status && a.help) {
        printf("usage: responsive %s\n\n%s.\n%s", v->usage, v->summary, v->help);
    } else if (!status) {
        if (a.n_words < v->least) status = usage_error(v, "too few words", "");
        else if (a.n_words > v->most) status = usage_error(v, "too many words", a.words[v->most]);
        else if ((v->run == verb_simulate || v->run == verb_rehearse) && !a.out)
            status = usage_error(v, "--out is needed", "");
        else {
            if (!a.out) a.out = "out";
            if (v->run != verb_run) rsp_ending_tells_only();
            status = v->run(&a);
        }
    }
    rsp_arena_free(arena);
    return status;
}

/* A crash must not leave the answers in a core file, and nobody else may write what we publish. Leak detection of the
 * sanitizers and messages between ranks need what the last line forbids. */
static void keep_answers_off_the_disk(void) {
    umask(umask(0) | 022);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#if !defined(__SANITIZE_ADDRESS__) && !defined(RSP_MPI)
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int command(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return RSP_ERR_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("responsive %s%s%s%s\n", RSP_VERSION, *RSP_COMMIT ? " (" : "", RSP_COMMIT, *RSP_COMMIT ? ")" : "");
        return 0;
    }
    const char *names[N_VERBS];
    for (size_t k = 0; k < N_VERBS; k++) {
        names[k] = VERBS[k].name;
        if (strcmp(argv[1], VERBS[k].name) == 0) return run_verb(&VERBS[k], argc - 1, argv + 1);
    }
    const char *meant = rsp_suggest(argv[1], names, N_VERBS);
    fprintf(stderr, "responsive: there is no verb '%s'", argv[1]);
    if (meant) fprintf(stderr, " (did you mean '%s'?)", meant);
    fprintf(stderr, "\nsee: responsive --help\n");
    return RSP_ERR_USAGE;
}

int main(int argc, char **argv) {
    /* Numbers and sorting are the same whatever locale the machine has; pages get theirs from ICU. */
    setlocale(LC_ALL, "C");
    gsl_set_error_handler_off();
    keep_answers_off_the_disk();
    rsp_ending_watch();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is a failed write, not the end of the program */
    rsp_ranks_start(&argc, &argv);
    int status = command(argc, argv);
    rsp_ranks_end();
    rsp_ending_expected();
    return status;
}
