/* Personal data: known by the heading of a column, or by what stands in it. */
#include "reader.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

/* Folded headings, in the seven languages, and names of tools' columns. */
static const char *const headings[] = {"ipaddr",
                                       "ipaddress",
                                       "ip",
                                       "ip address",
                                       "ip-adresse",
                                       "adresse ip",
                                       "adres ip",
                                       "endereço ip",
                                       "adresa ip",
                                       "email",
                                       "e-mail",
                                       "e-mail address",
                                       "email address",
                                       "mail",
                                       "e-mail-adresse",
                                       "mailadresse",
                                       "adresse e-mail",
                                       "courriel",
                                       "adresse mail",
                                       "adres e-mail",
                                       "endereço de email",
                                       "endereço de e-mail",
                                       "adresă de e-mail",
                                       "emailaddress",
                                       "token",
                                       "refurl",
                                       "referrer url",
                                       "name",
                                       "your name",
                                       "full name",
                                       "lastname",
                                       "last name",
                                       "firstname",
                                       "first name",
                                       "surname",
                                       "family name",
                                       "nachname",
                                       "vorname",
                                       "familienname",
                                       "ihr name",
                                       "navn",
                                       "fornavn",
                                       "efternavn",
                                       "nom",
                                       "prénom",
                                       "nom de famille",
                                       "imię",
                                       "nazwisko",
                                       "imię i nazwisko",
                                       "nome",
                                       "apelido",
                                       "nome completo",
                                       "nume",
                                       "prenume",
                                       "numele",
                                       "phone",
                                       "telephone",
                                       "phone number",
                                       "telephone number",
                                       "phonenumber",
                                       "mobile",
                                       "telefon",
                                       "telefonnummer",
                                       "téléphone",
                                       "numéro de téléphone",
                                       "numer telefonu",
                                       "telefone",
                                       "telemóvel",
                                       "număr de telefon",
                                       "address",
                                       "postal address",
                                       "street",
                                       "anschrift",
                                       "adresse",
                                       "adres",
                                       "endereço",
                                       "morada",
                                       "adresă",
                                       "recipientlastname",
                                       "recipientfirstname",
                                       "recipientemail",
                                       "externaldatareference",
                                       "externalreference",
                                       "locationlatitude",
                                       "locationlongitude",
                                       "latitude",
                                       "longitude",
                                       "gps",
                                       "geopoint",
                                       "coordinates",
                                       "date of birth",
                                       "birthdate",
                                       "dob",
                                       "geburtsdatum",
                                       "date de naissance",
                                       "data urodzenia",
                                       "data de nascimento",
                                       "fødselsdato",
                                       "data nașterii",
                                       "deviceid",
                                       "username",
                                       "user name",
                                       "first_name",
                                       "last_name",
                                       "e_mail",
                                       "email_address",
                                       "phone_number",
                                       "ip_address",
                                       "sobrenome",
                                       "nume și prenume",
                                       "prenumele",
                                       "adresa",
                                       "adresa de e-mail",
                                       "e-mailadresse",
                                       "mobiltelefon",
                                       "handynummer",
                                       "mobilnummer",
                                       "numer telefonu komórkowego",
                                       "iban",
                                       "kontonummer",
                                       "cpr",
                                       "cpr-nummer",
                                       "pesel",
                                       "cnp",
                                       "cod numeric personal",
                                       "nif",
                                       "número de contribuinte",
                                       "numéro de sécurité sociale",
                                       "sozialversicherungsnummer",
                                       "national insurance number"};

static bool is_listed(const char *folded) {
    for (size_t k = 0; k < sizeof headings / sizeof *headings; k++)
        if (strcmp(folded, headings[k]) == 0) return true;
    return false;
}

/* Parts of a place on the map, as KoboToolbox and ODK Central head them: _home_latitude, group-home-Longitude. */
static bool is_coordinate(const char *folded) {
    static const char *const ends[] = {"latitude", "longitude"};
    size_t n = strlen(folded);
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        size_t end = strlen(ends[k]);
        if (n > end && strcmp(folded + n - end, ends[k]) == 0 && !isalpha((unsigned char) folded[n - end - 1]))
            return true;
    }
    return false;
}

/* Behind the names of groups: contact/email. "Name" may be a school's there. */
static bool is_listed_in_group(const char *folded) {
    const char *last = folded;
    if (strchr(folded, ' ')) return false;
    for (const char *at = folded; *at; at++)
        if (*at == '/' || *at == '-') last = at + 1;
    return last != folded && strlen(last) > 4 && is_listed(last);
}

/* The heading as it stands, its last part, or the code in front of a joining string. */
bool rsp_is_personal_heading(const char *heading, rsp_buf *room) {
    rsp_fold(heading, strlen(heading), room);
    if (is_coordinate(room->data) || is_listed_in_group(room->data)) return true;
    for (int pass = 0; pass < 2; pass++) {
        if (is_listed(room->data)) return true;
        size_t code = strspn(room->data, "abcdefghijklmnopqrstuvwxyz_");
        if (!code || !room->data[code] || !strchr(".:", room->data[code])) return false;
        room->data[code] = '\0';
    }
    return false;
}

static bool is_email(const char *text, size_t length) {
    const char *at = memchr(text, '@', length);
    if (!at || at == text || memchr(at + 1, '@', (size_t) (text + length - at - 1))) return false;
    const char *point = memrchr(at, '.', (size_t) (text + length - at));
    if (!point || point == at + 1 || point + 2 >= text + length) return false;
    for (size_t k = 0; k < length; k++)
        if (isspace((unsigned char) text[k]) || strchr(",;<>()\"", text[k])) return false;
    return true;
}

static bool is_network_address(const char *text, size_t length) {
    char copy[64];
    unsigned char room[16];
    if (length < 7 || length >= sizeof copy) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(AF_INET, copy, room) == 1 || (strchr(copy, ':') && inet_pton(AF_INET6, copy, room) == 1);
}

/* "48.2082, 16.3738", perhaps with altitude and accuracy: at least four decimals of each, as devices write them. */
static bool is_place(const char *text, size_t length) {
    char copy[80];
    double latitude, longitude;
    int from, to, end;
    if (length < 14 || length >= sizeof copy) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (sscanf(copy, "%lf%n%*[ ,;]%lf%n", &latitude, &from, &longitude, &to) != 2) return false;
    end = to;
    const char *first = memchr(copy, '.', (size_t) from), *second = memchr(copy + from, '.', (size_t) (to - from));
    return first && second && copy + from - first > 4 && copy + end - second > 4 && fabs(latitude) <= 90 &&
           fabs(longitude) <= 180;
}

/* +43 1 234 5678: a plus or a double zero, then 8 to 15 digits. */
static bool is_telephone(const char *text, size_t length) {
    size_t digits = 0;
    if (length < 9 || (text[0] != '+' && strncmp(text, "00", 2) != 0)) return false;
    for (size_t k = 0; k < length; k++) {
        if (isdigit((unsigned char) text[k])) digits++;
        else if (!strchr("+ ()/-.", text[k])) return false;
    }
    return digits >= 8 && digits <= 17;
}

/* AT61 1904 3002 3457 3201: two letters, two digits, then letters and digits, 97 times something and 1 (ISO 13616). */
static bool is_bank_account(const char *text, size_t length) {
    char iban[35];
    size_t n = 0;
    unsigned rest = 0;
    for (size_t k = 0; k < length; k++) {
        if (text[k] == ' ') continue;
        if (n == sizeof iban - 1 || !isalnum((unsigned char) text[k])) return false;
        iban[n++] = (char) toupper((unsigned char) text[k]);
    }
    if (n < 15 || !isalpha((unsigned char) iban[0]) || !isalpha((unsigned char) iban[1]) ||
        !isdigit((unsigned char) iban[2]) || !isdigit((unsigned char) iban[3]))
        return false;
    for (size_t k = 0; k < n; k++) { /* the first four stand last */
        char c = iban[(k + 4) % n];
        rest = isdigit((unsigned char) c) ? (rest * 10 + (unsigned) (c - '0')) % 97
                                          : (rest * 100 + (unsigned) (c - 'A') + 10) % 97;
    }
    return rest == 1;
}

const char *rsp_personal_content(const char *text, size_t length) {
    while (length && isspace((unsigned char) *text)) text++, length--;
    while (length && isspace((unsigned char) text[length - 1])) length--;
    if (is_email(text, length)) return "e-mail addresses";
    if (is_network_address(text, length)) return "network addresses";
    if (is_place(text, length)) return "places on the map";
    if (is_bank_account(text, length)) return "bank accounts";
    return is_telephone(text, length) ? "telephone numbers" : NULL;
}
