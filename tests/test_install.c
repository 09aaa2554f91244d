/* What `make install` and `make deb` leave on a machine, used as their users do. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char here[64], root[128];

#ifdef __SANITIZE_ADDRESS__
static const char switches[] = "SAN=1";
#else
static const char switches[] = "";
#endif

static int make(const char *what) {
    return sh(
        "env -u MAKEFLAGS -u MFLAGS make --no-print-directory BUILD=%s %s %s > %s/said 2>&1 || { cat %s/said >&2; "
        "exit 1; }",
        build_folder(), switches, what, here, here);
}

static int set_up(void **state) {
    char what[512];
    (void) state;
    strcpy(here, "/tmp/responsive-install-XXXXXX");
    if (!mkdtemp(here)) return -1;
    snprintf(root, sizeof root, "%s/root", here);
    snprintf(what, sizeof what, "install DESTDIR=%s PREFIX=/opt/survey SYSTEMD=/lib/systemd/system", root);
    return make(what);
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

static void the_installed_program_publishes(void **state) {
    (void) state;
    assert_int_equal(sh("cd / && %s/opt/survey/bin/responsive selftest > %s/said", root, here), 0);
    assert_int_equal(
        sh("cd %s && mkdir mine && cd mine && { echo id,country,trust; for k in $(seq 200); do echo "
           "$k,$([ $((k %% 2)) = 0 ] && echo PL || echo DK),$([ $((k %% 3)) = 0 ] && echo low || echo high); "
           "done; } > answers.csv && printf 'type,name,label::en\\ntext,id,Respondent\\nselect_one "
           "country,country,Country\\nselect_one trust,trust,Trust\\n' > survey.csv && printf "
           "'list_name,name,label::en\\ncountry,PL,Poland\\ncountry,DK,Denmark\\ntrust,low,Low\\n"
           "trust,high,High\\n' > choices.csv && printf 'study: mine\\ntitle: {en: Trust}\\nlanguages: "
           "[en]\\nsources: [{files: answers.csv}]\\ninstrument: {survey: survey.csv, choices: "
           "choices.csv}\\nroles: {id: id, country: country}\\ndesign: {sample: self_selected}\\n"
           "weighting: {scale: equal}\\ntables: [{id: trust, items: [trust], by: [[], [country]]}]\\n' > "
           "study.yaml",
           here),
        0);
    assert_int_equal(sh("cd %s && XDG_CONFIG_HOME=%s/config %s/opt/survey/bin/responsive run mine --quiet 2> said",
                        here, here, root),
                     0);
    assert_int_equal(sh("%s/opt/survey/bin/responsive verify %s/out/mine/latest > %s/said", root, here, here), 0);
    assert_int_equal(sh("test -s %s/out/mine/latest/briefs/brief-all-en.pdf", here), 0);
}

static void manual_and_completion_know_every_verb(void **state) {
    (void) state;
    assert_int_equal(
        sh("cd %s/opt/survey && grep -q '^.TH RESPONSIVE 1' share/man/man1/responsive.1 && for verb in "
           "$(bin/responsive "
           "--help | sed -n 's/^  responsive \\([a-z]*\\) .*/\\1/p'); do grep -q \"^.B $verb$\" "
           "share/man/man1/responsive.1 || exit 1; bin/responsive $verb --help > /dev/null || exit 2; done",
           root),
        0);
    assert_int_equal(sh("cd %s/opt/survey && bash -c '. share/bash-completion/completions/responsive; "
                        "COMP_WORDS=(responsive fo); COMP_CWORD=1; _responsive; test \"${COMPREPLY[*]}\" = \"follow "
                        "forget\"; a=$?; COMP_WORDS=(responsive run --ex); COMP_CWORD=2; _responsive; test "
                        "\"${COMPREPLY[*]}\" = --explain && exit $a'",
                        root),
                     0);
}

static void units_start_the_installed_program(void **state) {
    (void) state;
    assert_int_equal(sh("cd %s/lib/systemd/system && grep -q '^ExecStart=/opt/survey/bin/responsive run ' "
                        "responsive@.service && grep -q '^OnCalendar=' responsive@.timer && ! grep -q /usr/bin "
                        "responsive@.service",
                        root),
                     0);
    assert_int_equal(
        sh("cd %s/opt/survey/share/doc/responsive && test -s LICENSE && grep -q '^[0-9]' responsive.cron", root), 0);
    /* Nobody but the owner of the installation may change what runs at night. */
    assert_int_equal(sh("test -z \"$(find %s ! -type l -perm /022)\"", root), 0);
}

static void the_package_names_what_it_needs(void **state) {
    (void) state;
    assert_int_equal(make("deb"), 0);
    assert_int_equal(sh("deb=$(ls %s/responsive_*.deb) && dpkg-deb -f $deb Depends | grep -q libcairo2 && dpkg-deb -f "
                        "$deb Depends | grep -q fonts-noto-core && dpkg-deb -c $deb > %s/said && grep -q ' "
                        "./usr/bin/responsive$' %s/said && grep -q man1/responsive.1.gz %s/said && grep -q "
                        "'./lib/systemd/system/responsive@.timer' %s/said",
                        build_folder(), here, here, here, here),
                     0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_installed_program_publishes),
        cmocka_unit_test(manual_and_completion_know_every_verb),
        cmocka_unit_test(units_start_the_installed_program),
        cmocka_unit_test(the_package_names_what_it_needs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
