/* See scales.h. Words are folded as rsp_fold makes them. */
#include "scales.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct word {
    double place;
    const char *text; /* alternatives parted by | */
};

struct scale {
    const char *name;
    size_t n;
    const struct word *words;
};

static const struct word agreement[] = {
    {1, "strongly disagree|completely disagree|totally disagree|disagree strongly|stimme überhaupt nicht zu|stimme gar "
        "nicht "
        "zu|trifft überhaupt nicht zu|trifft gar nicht zu|helt uenig|meget uenig|pas du tout d'accord|tout à fait en "
        "désaccord|zdecydowanie się nie zgadzam|zdecydowanie nie|discordo totalmente|discordo completamente|dezacord "
        "total|total dezacord|sunt total împotrivă"},
    {2, "disagree|rather disagree|tend to disagree|somewhat disagree|stimme eher nicht zu|stimme nicht zu|trifft eher "
        "nicht "
        "zu|trifft nicht zu|uenig|delvist uenig|overvejende uenig|plutôt pas d'accord|pas d'accord|en désaccord|raczej "
        "się nie "
        "zgadzam|nie zgadzam się|raczej nie|discordo|discordo parcialmente|dezacord|nu sunt de acord|mai degrabă nu"},
    {3, "neither agree nor disagree|neither agree or disagree|neither|neutral|undecided|teils, teils|teils "
        "teils|teils/teils|weder "
        "noch|unentschieden|"
        "hverken enig eller uenig|hverken eller|ni d'accord ni pas d'accord|ni d'accord, ni pas d'accord|neutre|ani "
        "się zgadzam, "
        "ani nie zgadzam|ani tak, ani nie|neutralnie|nem concordo nem discordo|neutro|nici acord, nici dezacord|nici "
        "de acord, "
        "nici împotrivă|neutru"},
    {4,
     "agree|rather agree|tend to agree|somewhat agree|stimme eher zu|stimme zu|trifft eher zu|trifft zu|enig|delvist "
     "enig|overvejende enig|plutôt d'accord|d'accord|raczej się zgadzam|zgadzam się|raczej tak|concordo|concordo "
     "parcialmente|acord|de acord|sunt de acord|mai degrabă da"},
    {5, "strongly agree|completely agree|totally agree|agree strongly|stimme voll und ganz zu|stimme vollständig "
        "zu|stimme voll zu|stimme völlig zu|trifft "
        "voll und "
        "ganz zu|trifft völlig zu|helt enig|meget enig|tout à fait d'accord|zdecydowanie się zgadzam|zdecydowanie "
        "tak|concordo totalmente|concordo completamente|acord total|total de acord"}};

static const struct word frequency[] = {
    {1, "never|nie|niemals|aldrig|jamais|nigdy|nunca|niciodată"},
    {2, "rarely|seldom|hardly ever|almost never|very rarely|selten|sjældent|rarement|rzadko|raramente|rar|rareori"},
    {3,
     "sometimes|occasionally|now and then|manchmal|gelegentlich|nogle gange|af og til|parfois|quelquefois|de temps en "
     "temps|czasami|czasem|às vezes|por vezes|uneori|câteodată"},
    {4, "often|frequently|regularly|mostly|usually|very often|most of the time|oft|häufig|meistens|ofte|for det "
        "meste|souvent|"
        "régulièrement|często|zazwyczaj|frequentemente|muitas vezes|habitualmente|adesea|des|frecvent"},
    {5, "always|almost always|immer|fast immer|altid|toujours|zawsze|sempre|întotdeauna|mereu"}};

static const struct word quality[] = {
    {1, "very bad|very poor|very low|terrible|sehr schlecht|sehr gering|meget dårlig|meget dårligt|très mauvais|très "
        "mauvaise|"
        "très faible|bardzo zły|bardzo zła|bardzo źle|bardzo niski|muito mau|muito má|muito baixo|foarte rău|foarte "
        "slab|foarte "
        "scăzut"},
    {2, "bad|poor|low|schlecht|gering|niedrig|dårlig|dårligt|lav|mauvais|mauvaise|faible|zły|zła|źle|niski|mau|má|"
        "baixo|rău|"
        "slab|scăzut"},
    {3,
     "fair|average|medium|middle|moderate|acceptable|neither good nor "
     "bad|mittel|mittelmäßig|mittelmässig|middel|hverken godt "
     "eller "
     "dårligt|moyen|moyenne|średni|średnia|przeciętny|ani dobrze, ani źle|médio|média|razoável|mediu|medie|acceptabil"},
    {4, "good|high|gut|hoch|god|godt|høj|bon|bonne|élevé|dobry|dobra|dobrze|wysoki|bom|boa|alto|bun|bună|bine|ridicat"},
    {5,
     "very good|excellent|very high|sehr gut|ausgezeichnet|sehr hoch|meget god|meget godt|meget høj|très bon|très "
     "bonne|"
     "excellente|très élevé|bardzo dobry|bardzo dobra|bardzo dobrze|bardzo wysoki|muito bom|muito boa|excelente|muito "
     "alto|foarte bun|foarte bună|foarte bine|foarte ridicat"}};

static const struct word satisfaction[] = {
    {1, "very dissatisfied|very unsatisfied|very unhappy|sehr unzufrieden|meget utilfreds|très insatisfait|pas du tout "
        "satisfait|bardzo niezadowolony|muito insatisfeito|foarte nemulțumit"},
    {2,
     "dissatisfied|unsatisfied|rather dissatisfied|quite unhappy|unhappy|somewhat dissatisfied|unzufrieden|eher "
     "unzufrieden|utilfreds|insatisfait|plutôt insatisfait|niezadowolony|raczej niezadowolony|insatisfeito|nemulțumit"},
    {3,
     "neither satisfied nor dissatisfied|neutral|weder zufrieden noch unzufrieden|teils, teils|hverken tilfreds eller "
     "utilfreds|ni satisfait ni insatisfait|ani zadowolony, ani niezadowolony|nem satisfeito nem insatisfeito|nici "
     "mulțumit, "
     "nici nemulțumit"},
    {4, "satisfied|rather satisfied|quite happy|happy|somewhat satisfied|zufrieden|eher "
        "zufrieden|tilfreds|satisfait|plutôt "
        "satisfait|zadowolony|raczej zadowolony|satisfeito|mulțumit"},
    {5, "very satisfied|completely satisfied|very happy|sehr zufrieden|meget tilfreds|très satisfait|tout à fait "
        "satisfait|bardzo zadowolony|muito satisfeito|foarte mulțumit"}};

static const struct word favour[] = {
    {1, "very unfavorably|very unfavourably|very unfavorable"},
    {2, "somewhat unfavorably|somewhat unfavourably|unfavorably"},
    {3, "neither favorably nor unfavorably (neutral)|neither favorably nor unfavorably|neutral"},
    {4, "somewhat favorably|somewhat favourably|favorably"},
    {5, "very favorably|very favourably|very favorable"}};

static const struct word importance[] = {
    {1, "not at all important|not important at all|very unimportant|sehr unwichtig|völlig unwichtig|überhaupt nicht "
        "wichtig|gar nicht "
        "wichtig|slet "
        "ikke vigtigt|pas du tout important|zupełnie nieważne|nada importante|deloc important"},
    {1.5, "unimportant|unwichtig|not important|nicht wichtig"},
    {2,
     "not very important|slightly important|slightly|of little importance|rather unimportant|eher nicht wichtig|eher "
     "unwichtig|weniger "
     "wichtig|mindre vigtigt|ikke særlig vigtigt|peu important|pas important|mało ważne|nieważne|pouco "
     "importante|puțin "
     "important"},
    {3, "somewhat important|moderately important|moderately|neutral|mittel|teils, teils|nogenlunde vigtigt|moyennement "
        "important|assez "
        "important|średnio ważne|moderadamente importante|oarecum important"},
    {4, "important|quite important|rather important|wichtig|eher wichtig|vigtigt|important|ważne|importante|important"},
    {5.5, "extremely important|essential|äußerst wichtig|extrem wichtig"},
    {5, "very important|very|sehr wichtig|meget vigtigt|très important|bardzo ważne|muito "
        "importante|foarte important"}};

static const struct word extent[] = {
    {1, "not at all|none|nothing|überhaupt nicht|gar nicht|slet ikke|pas du tout|wcale|w ogóle nie|nada|de modo "
        "nenhum|deloc"},
    {2, "a little|slightly|to a small extent|very little|wenig|ein wenig|i ringe grad|lidt|un peu|peu|trochę|w małym "
        "stopniu|um pouco|pouco|puțin|în mică măsură"},
    {3, "somewhat|some|moderately|to some extent|etwas|noget|mittelmäßig|mittelmässig|teilweise|i nogen "
        "grad|moyennement|dans une certaine "
        "mesure|częściowo|w pewnym stopniu|moderadamente|em parte|oarecum|într-o anumită măsură"},
    {4, "a lot|quite a bit|to a large extent|much|ziemlich|stark|i høj grad|beaucoup|dużo|w dużym "
        "stopniu|muito|bastante|mult|în "
        "mare măsură"},
    {5, "completely|very much|to a very large extent|a great deal|sehr|völlig|sehr stark|i meget høj "
        "grad|énormément|complètement|"
        "bardzo|całkowicie|w bardzo dużym stopniu|totalmente|completamente|foarte mult|complet"}};

static const struct word amount[] = {
    {1, "too little|zu wenig|for lidt|trop peu|za mało|demasiado pouco|prea puțin"},
    {2, "about right|right|gerade richtig|tilpas|comme il faut|w sam raz|adequado|potrivit"},
    {3, "too much|zu viel|for meget|trop|za dużo|demasiado|prea mult"}};

static const struct word interest[] = {
    {1, "not at all interested|not interested at all|überhaupt nicht interessiert|gar nicht interessiert|slet ikke "
        "interesseret|pas du tout intéressé|pas du tout intéressée|w ogóle nie zainteresowany|w ogóle nie "
        "zainteresowana|nada interessado|nada interessada|deloc interesat|deloc interesată"},
    {2, "hardly interested|not very interested|a little interested|slightly interested|not interested|kaum "
        "interessiert|wenig interessiert|ikke særlig interesseret|lidt interesseret|peu intéressé|peu intéressée|mało "
        "zainteresowany|mało zainteresowana|pouco interessado|pouco interessada|puțin interesat|puțin interesată"},
    {3, "somewhat interested|fairly interested|moderately interested|teilweise interessiert|nogenlunde "
        "interesseret|moyennement intéressé|moyennement intéressée|średnio zainteresowany|średnio zainteresowana|"
        "moderadamente interessado|moderadamente interessada|oarecum interesat|oarecum interesată"},
    {4, "quite interested|rather interested|interested|ziemlich interessiert|interessiert|ret interesseret|ganske "
        "interesseret|assez intéressé|assez intéressée|plutôt intéressé|plutôt intéressée|raczej zainteresowany|raczej "
        "zainteresowana|bastante interessado|bastante interessada|destul de interesat|destul de interesată"},
    {5, "very interested|extremely interested|sehr interessiert|meget interesseret|très intéressé|très "
        "intéressée|bardzo zainteresowany|bardzo zainteresowana|muito interessado|muito interessada|foarte "
        "interesat|foarte interesată"}};

/* How often, by the calendar. */
static const struct word rate[] = {
    {1, "never|nie|niemals|aldrig|jamais|nigdy|nunca|niciodată"},
    {2, "only occasionally|less often|less than once a year|seltener|sjældnere|moins souvent|rzadziej|menos "
        "frequentemente|mai rar"},
    {3,
     "once a year|yearly|about once a year|only on special holy days|einmal im jahr|jährlich|en gang om året|une fois "
     "par an|raz w roku|uma vez por ano|o dată pe an"},
    {4,
     "a few times a year|several times a year|less than once a month|mehrmals im jahr|einige male im jahr|weniger als "
     "einmal im monat|nogle gange om året|flere gange om året|quelques fois par an|plusieurs fois par an|kilka razy w "
     "roku|algumas vezes por ano|de câteva ori pe an"},
    {5,
     "once a month|monthly|at least once a month|about once a month|einmal im monat|monatlich|en gang om måneden|une "
     "fois par mois|raz w miesiącu|uma vez por mês|o dată pe lună"},
    {6,
     "a few times a month|several times a month|two or three times a month|mehrmals im monat|flere gange om "
     "måneden|plusieurs fois par mois|kilka razy w miesiącu|algumas vezes por mês|várias vezes por mês|de câteva ori "
     "pe lună"},
    {7,
     "once a week|weekly|about once a week|einmal pro woche|einmal in der woche|wöchentlich|en gang om ugen|une fois "
     "par semaine|raz w tygodniu|uma vez por semana|o dată pe săptămână"},
    {8, "a few times a week|several times a week|more than once a week|mehrmals pro woche|mehrmals in der woche|flere "
        "gange om ugen|plusieurs fois par semaine|kilka razy w tygodniu|algumas vezes por semana|várias vezes por "
        "semana|de câteva ori pe săptămână"},
    {9, "most days|almost every day|nearly every day|fast täglich|fast jeden tag|næsten hver dag|presque tous les "
        "jours|prawie codziennie|quase todos os dias|aproape în fiecare zi|aproape zilnic"},
    {10, "every day|daily|täglich|jeden tag|hver dag|dagligt|tous les jours|chaque jour|codziennie|todos os "
         "dias|diariamente|zilnic|în fiecare zi"},
    {11,
     "several times a day|more than once a day|mehrmals täglich|mehrmals am tag|flere gange om dagen|plusieurs fois "
     "par jour|kilka razy dziennie|várias vezes por dia|de mai multe ori pe zi"}};

static const struct word likelihood[] = {
    {1, "very unlikely|sehr unwahrscheinlich|meget usandsynligt|très improbable|bardzo mało prawdopodobne|muito "
        "improvável|foarte improbabil"},
    {2, "unlikely|rather unlikely|unwahrscheinlich|usandsynligt|improbable|peu probable|mało "
        "prawdopodobne|improvável|improbabil"},
    {3, "neither likely nor unlikely|neutral"},
    {4, "likely|rather likely|wahrscheinlich|sandsynligt|probable|prawdopodobne|provável|probabil"},
    {5, "very likely|sehr wahrscheinlich|meget sandsynligt|très probable|bardzo prawdopodobne|muito provável|foarte "
        "probabil"}};

static const struct word yes_no[] = {
    {1, "no|nein|nej|non|nie|não|nu"},
    {2, "maybe|perhaps|partly|vielleicht|teilweise|måske|delvist|peut-être|en partie|może|częściowo|talvez|"
        "em parte|poate|parțial"},
    {3, "yes|ja|oui|tak|sim|da"}};

#define SCALE(words)                                                                                                   \
    { #words, sizeof words / sizeof *words, words }

static const struct scale scales[] = {SCALE(agreement),  SCALE(frequency),  SCALE(quality), SCALE(satisfaction),
                                      SCALE(favour),     SCALE(importance), SCALE(extent),  SCALE(amount),
                                      SCALE(likelihood), SCALE(interest),   SCALE(rate),    SCALE(yes_no)};

static bool among(const char *alternatives, const char *word) {
    size_t n = strlen(word);
    for (const char *at = alternatives;; at++) {
        size_t length = strcspn(at, "|");
        if (length == n && memcmp(at, word, n) == 0) return true;
        at += length;
        if (!*at) return false;
    }
}

/* A number in front ("4 - agree", "(5) very good") is no part of the words. */
static const char *without_number(const char *folded) {
    const char *at = folded;
    while (*at == '(' || *at == '[') at++;
    if (!isdigit((unsigned char) *at)) return folded;
    while (isdigit((unsigned char) *at)) at++;
    at += strspn(at, ")] .:=-");
    return isalpha((unsigned char) *at) || (unsigned char) *at >= 0x80 ? at : folded;
}

const char *rsp_scale_word(const char *folded, size_t nth, double *place) {
    const char *word = without_number(folded);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (size_t k = 0; k < scales[s].n; k++) {
            if (!among(scales[s].words[k].text, word) || nth--) continue;
            *place = scales[s].words[k].place;
            return scales[s].name;
        }
    return NULL;
}

/* ---- numbers in labels ------------------------------------------------------------------------------------------ */

static bool begins(const char *text, const char *const *words, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (strncmp(text, words[k], strlen(words[k])) == 0) return true;
    return false;
}

double rsp_scale_number(const char *folded) {
    static const char *const less[] = {"<",           "less than", "under",        "below",      "up to",
                                       "weniger als", "unter",     "bis",          "mindre end", "under",
                                       "moins de",    "jusqu'à",   "mniej niż",    "poniżej",    "do ",
                                       "menos de",    "até",       "mai puțin de", "sub ",       "până la"};
    static const char *const more[] = {">",       "more than", "over",        "above",   "mehr als",
                                       "über",    "mere end",  "over",        "plus de", "więcej niż",
                                       "powyżej", "mais de",   "mai mult de", "peste"};
    bool under = begins(folded, less, sizeof less / sizeof *less),
         over = begins(folded, more, sizeof more / sizeof *more);
    const char *at = folded + strcspn(folded, "0123456789");
    if (!*at || at - folded > 16) return NAN;
    double x = 0;
    for (; isdigit((unsigned char) *at) || (strchr(",. '", *at) && *at && isdigit((unsigned char) at[1]) &&
                                            isdigit((unsigned char) at[2]) && isdigit((unsigned char) at[3]));
         at++)
        if (isdigit((unsigned char) *at)) x = x * 10 + (*at - '0');
    return under ? x - 0.5 : over ? x + 0.5 : x;
}

/* ---- languages -------------------------------------------------------------------------------------------------- */

/* Words that are frequent in one of the languages and rare in the others. */
static const struct {
    const char *language, *words;
} common[] = {
    {"en", " the | of | you | your | is | are | how | what | which | do | have | with | and | from | to "},
    {"de", " der | die | das | und | sie | ihr | ihre | wie | ist | sind | mit | nicht | welche | für | haben | von "},
    {"da", " og | er | det | du | dit | dine | hvor | hvilke | af | til | ikke | har | med | på | som "},
    {"fr", " le | la | les | des | vous | votre | vos | est | sont | quel | quelle | dans | et | pour | avec | une "},
    {"pl", " i | w | na | jest | się | czy | jak | jakie | do | z | nie | pan | pani | dla | od | są "},
    {"pt", " o | os | as | e | de | da | do | que | é | são | não | para | com | sua | seu | qual "},
    {"ro", " și | de | la | este | sunt | care | cum | ce | nu | pentru | cu | în | dumneavoastră | din | al | a "}};

const char *rsp_language_of(const char *text, size_t length) {
    const char *best = NULL;
    size_t most = 1; /* one word says nothing */
    rsp_buf folded = {0}, spaced = {0};
    rsp_fold(text, length, &folded);
    for (size_t k = 0; k < folded.length; k++) {
        bool sign = strchr(".,;:?!()[]/\"'", folded.data[k]) != NULL;
        rsp_buf_puts(&spaced, folded.data[k] == ' ' || sign ? "  " : "");
        if (folded.data[k] != ' ' && !sign) rsp_buf_putc(&spaced, folded.data[k]);
    }
    rsp_buf_puts(&spaced, "  ");
    for (size_t k = 0; k < sizeof common / sizeof *common; k++) {
        size_t n = 0;
        for (const char *at = common[k].words; *at;) {
            size_t width = strcspn(at, "|");
            for (const char *hit = spaced.data; (hit = memmem(hit, strlen(hit), at, width)); hit += width) n++;
            at += width + (at[width] == '|');
        }
        if (n > most) {
            most = n;
            best = common[k].language;
        }
    }
    rsp_buf_free(&folded);
    rsp_buf_free(&spaced);
    return best;
}
