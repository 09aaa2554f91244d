/* What this program is made of, by the versions that are linked in tonight, not those it was built with. */
#include "batch/software.h"

#include <cairo.h>
#include <cblas.h>
#include <fontconfig/fontconfig.h>
#include <glpk.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <hb.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <nettle/version.h>
#include <pango/pango.h>
#include <png.h>
#include <qpdf/qpdf-c.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uversion.h>
#include <xlsxwriter.h>
#include <yaml.h>
#include <zip.h>

static const char *icu_version(rsp_arena *a) {
    UVersionInfo version;
    char text[U_MAX_VERSION_STRING_LENGTH];
    u_getVersion(version);
    u_versionToString(version, text);
    return rsp_strdup(a, text);
}

/* "OpenBLAS 0.3.21 NO_AFFINITY ... Haswell ...": the number alone, as the rest tells the machine. */
static const char *openblas_version(rsp_arena *a) {
    const char *config = openblas_get_config();
    const char *from = strpbrk(config, "0123456789");
    return from ? rsp_strndup(a, from, strcspn(from, " ")) : "";
}

static const char *fontconfig_version(rsp_arena *a) {
    int v = FcGetVersion();
    return rsp_printf(a, "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
}

/* libxml2 says 20914 for 2.9.14. */
static const char *libxml_version(rsp_arena *a) {
    long v = strtol(xmlParserVersion, NULL, 10);
    return rsp_printf(a, "%ld.%ld.%ld", v / 10000, v / 100 % 100, v % 100);
}

rsp_library *rsp_software(rsp_arena *a, size_t *n) {
    const rsp_library all[] = {
        {"GSL", gsl_version, "numbers"},
        {"OpenBLAS", openblas_version(a), "numbers"},
        {"GLPK", glp_version(), "numbers"},
        {"GNU C library", gnu_get_libc_version(), "numbers"},
        {"ICU", icu_version(a), "pages"},
        {"Pango", pango_version_string(), "pages"},
        {"HarfBuzz", hb_version_string(), "pages"},
        {"Fontconfig", fontconfig_version(a), "pages"},
        {"Cairo", cairo_version_string(), "pages"},
        {"libpng", png_get_libpng_ver(NULL), "pages"},
        {"qpdf", qpdf_get_qpdf_version(), "pages"},
        {"libxlsxwriter", lxw_version(), "pages"},
        {"SQLite", sqlite3_libversion(), "pages"},
        {"libxml2", libxml_version(a), "reading"},
        {"libzip", zip_libzip_version(), "reading"},
        {"Jansson", jansson_version_str(), "reading"},
        {"Nettle", rsp_printf(a, "%d.%d", nettle_version_major(), nettle_version_minor()), "reading"},
        {"libsodium", sodium_version_string(), "reading"},
        {"libyaml", yaml_get_version_string(), "reading"},
    };
    *n = sizeof all / sizeof *all;
    rsp_library *list = RSP_ARRAY(a, rsp_library, *n);
    memcpy(list, all, sizeof all);
    return list;
}
