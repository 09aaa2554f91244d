/* Dates as cells hold them: ISO 8601, and the ways of spreadsheets and tools, whose order of day and month the caller
 * knows. */
#include "match.h"

#include <string.h>

static bool digits(const char **at, const char *end, int n, int *value) {
    *value = 0;
    for (int k = 0; k < n; k++, (*at)++) {
        if (*at == end || **at < '0' || **at > '9') return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool sign(const char **at, const char *end, char c) {
    if (*at == end || **at != c) return false;
    (*at)++;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last. */
static long days_from_civil(int year, int month, int day) {
    long y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    long of_year = (153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date_exists(int year, int month, int day) {
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= length[month - 1] + (month == 2 && leap);
}

static bool parse_clock(const char **at, const char *end, double *seconds) {
    int hour, minute, second = 0;
    if (!digits(at, end, 2, &hour) || !sign(at, end, ':') || !digits(at, end, 2, &minute)) return false;
    if (sign(at, end, ':') && !digits(at, end, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *seconds = hour * 3600.0 + minute * 60.0 + second;
    double unit = 0.1;
    if (*at != end && **at == '.') {
        (*at)++;
        for (; *at != end && **at >= '0' && **at <= '9'; (*at)++, unit /= 10) *seconds += (**at - '0') * unit;
    }
    return true;
}

/* "Z", "+02", "+0200", "+02:00": seconds to take away. */
static bool parse_offset(const char **at, const char *end, double *seconds) {
    *seconds = 0;
    if (*at == end || sign(at, end, 'Z')) return true;
    int hour, minute = 0;
    bool east = **at == '+';
    if (!east && **at != '-') return false;
    (*at)++;
    if (!digits(at, end, 2, &hour)) return false;
    sign(at, end, ':');
    if (*at != end && !digits(at, end, 2, &minute)) return false;
    *seconds = (east ? 1 : -1) * (hour * 3600.0 + minute * 60.0);
    return true;
}

/* Two digits as a number; below -1000 if they are none. */
static inline int two(const char *text) {
    unsigned tens = (unsigned) (text[0] - '0'), ones = (unsigned) (text[1] - '0');
    return tens > 9 || ones > 9 ? -100000 : (int) (10 * tens + ones);
}

/* YYYY-MM-DD hh:mm:ss, the form that nearly all tools write. False: it is another one, or no date. */
static bool parse_usual(const char *text, double *seconds) {
    int century = two(text), year = two(text + 2), month = two(text + 5), day = two(text + 8), hour = two(text + 11),
        minute = two(text + 14), second = two(text + 17);
    if (text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' || text[16] != ':') return false;
    if (century < 0 || year < 0 || !date_exists(100 * century + year, month, day)) return false;
    if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return false;
    *seconds =
        (double) days_from_civil(100 * century + year, month, day) * 86400.0 + (hour * 3600.0 + minute * 60.0 + second);
    return true;
}

enum { USUAL_LENGTH = 19 };

bool rsp_parse_date(const char *text, size_t length, double *seconds) {
    if (length == USUAL_LENGTH && parse_usual(text, seconds)) return true;
    rsp_cell_trim(&text, &length);
    const char *at = text, *end = text + length;
    int year, month, day;
    double clock = 0, offset = 0;
    if (!digits(&at, end, 4, &year) || !sign(&at, end, '-') || !digits(&at, end, 2, &month) || !sign(&at, end, '-') ||
        !digits(&at, end, 2, &day) || !date_exists(year, month, day))
        return false;
    if (at != end) {
        if (*at != 'T' && *at != ' ') return false;
        at++;
        if (!parse_clock(&at, end, &clock) || !parse_offset(&at, end, &offset)) return false;
    }
    if (at != end) return false;
    *seconds = (double) days_from_civil(year, month, day) * 86400.0 + clock - offset;
    return true;
}

static bool up_to(const char **at, const char *end, int least, int most, int *value) {
    int n = 0;
    *value = 0;
    for (; n < most && *at != end && **at >= '0' && **at <= '9'; n++, (*at)++) *value = *value * 10 + (**at - '0');
    return n >= least;
}

static bool parse_half_day(const char **at, const char *end, double *clock) {
    while (*at != end && **at == ' ') (*at)++;
    if (end - *at == 2 && ((*at)[1] == 'M' || (*at)[1] == 'm') && strchr("AaPp", (*at)[0])) {
        bool after_noon = (*at)[0] == 'P' || (*at)[0] == 'p', twelve = *clock >= 12 * 3600.0;
        if (*clock >= 13 * 3600.0) return false;
        *clock += after_noon && !twelve ? 12 * 3600.0 : !after_noon && twelve ? -12 * 3600.0 : 0;
        *at = end;
    }
    return *at == end;
}

/* h:mm or h:mm:ss, perhaps with AM or PM. */
static bool parse_short_clock(const char **at, const char *end, double *clock) {
    int hour, minute, second = 0;
    while (*at != end && (**at == ' ' || **at == ',')) (*at)++;
    if (*at == end) return true;
    if (!up_to(at, end, 1, 2, &hour) || !(sign(at, end, ':') || sign(at, end, '.')) || !up_to(at, end, 2, 2, &minute))
        return false;
    if ((sign(at, end, ':') || sign(at, end, '.')) && !up_to(at, end, 2, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *clock = hour * 3600.0 + minute * 60.0 + second;
    return parse_half_day(at, end, clock);
}

bool rsp_parse_local_date(const char *text, size_t length, rsp_date_order order, double *seconds) {
    rsp_cell_trim(&text, &length);
    const char *at = text, *end = text + length;
    int first, second, year;
    double clock = 0;
    if (!up_to(&at, end, 1, 2, &first) || at == end || !strchr("/.-", *at)) return false;
    char between = *at++;
    if (!up_to(&at, end, 1, 2, &second) || !sign(&at, end, between)) return false;
    const char *from = at;
    if (!up_to(&at, end, 2, 4, &year) || at - from == 3) return false;
    if (at - from == 2) year += year < 70 ? 2000 : 1900;
    bool month_first = order == RSP_DATES_MONTH_FIRST && between != '.';
    int month = month_first ? first : second, day = month_first ? second : first;
    if (!date_exists(year, month, day) || !parse_short_clock(&at, end, &clock)) return false;
    *seconds = (double) days_from_civil(year, month, day) * 86400.0 + clock;
    return true;
}
