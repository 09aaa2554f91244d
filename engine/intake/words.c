/* Words that mean the same in every questionnaire: reasons for no answer, in the seven languages of the publications. */
#include "reader.h"

#include <string.h>

struct word {
    const char *folded;
    int kind;
};

/* Beginnings of folded labels; the longest that fits counts. */
static const struct word missing_words[] = {{"refus", RSP_NA_REFUSED},
                                            {"prefer not to", RSP_NA_REFUSED},
                                            {"rather not say", RSP_NA_REFUSED},
                                            {"verweigert", RSP_NA_REFUSED},
                                            {"möchte ich nicht sagen", RSP_NA_REFUSED},
                                            {"ønsker ikke at svare", RSP_NA_REFUSED},
                                            {"vil ikke svare", RSP_NA_REFUSED},
                                            {"ne souhaite pas répondre", RSP_NA_REFUSED},
                                            {"je ne souhaite pas répondre", RSP_NA_REFUSED},
                                            {"préfère ne pas répondre", RSP_NA_REFUSED},
                                            {"je préfère ne pas répondre", RSP_NA_REFUSED},
                                            {"odmowa", RSP_NA_REFUSED},
                                            {"odmawiam", RSP_NA_REFUSED},
                                            {"wolę nie odpowiadać", RSP_NA_REFUSED},
                                            {"recus", RSP_NA_REFUSED},
                                            {"prefiro não responder", RSP_NA_REFUSED},
                                            {"refuz", RSP_NA_REFUSED},
                                            {"prefer să nu răspund", RSP_NA_REFUSED},
                                            {"don't know", RSP_NA_DONT_KNOW},
                                            {"dont know", RSP_NA_DONT_KNOW},
                                            {"do not know", RSP_NA_DONT_KNOW},
                                            {"i don't know", RSP_NA_DONT_KNOW},
                                            {"i do not know", RSP_NA_DONT_KNOW},
                                            {"can't say", RSP_NA_DONT_KNOW},
                                            {"cannot say", RSP_NA_DONT_KNOW},
                                            {"not sure", RSP_NA_DONT_KNOW},
                                            {"unsure", RSP_NA_DONT_KNOW},
                                            {"dk", RSP_NA_DONT_KNOW},
                                            {"weiss nicht", RSP_NA_DONT_KNOW},
                                            {"ich weiss nicht", RSP_NA_DONT_KNOW},
                                            {"kann ich nicht sagen", RSP_NA_DONT_KNOW},
                                            {"ved ikke", RSP_NA_DONT_KNOW},
                                            {"jeg ved ikke", RSP_NA_DONT_KNOW},
                                            {"ne sait pas", RSP_NA_DONT_KNOW},
                                            {"ne sais pas", RSP_NA_DONT_KNOW},
                                            {"je ne sais pas", RSP_NA_DONT_KNOW},
                                            {"nsp", RSP_NA_DONT_KNOW},
                                            {"nie wiem", RSP_NA_DONT_KNOW},
                                            {"trudno powiedzieć", RSP_NA_DONT_KNOW},
                                            {"não sei", RSP_NA_DONT_KNOW},
                                            {"não sabe", RSP_NA_DONT_KNOW},
                                            {"ns/nr", RSP_NA_DONT_KNOW},
                                            {"nu știu", RSP_NA_DONT_KNOW},
                                            {"nu știe", RSP_NA_DONT_KNOW},
                                            {"not applicable", RSP_NA_NOT_SHOWN},
                                            {"n/a", RSP_NA_NOT_SHOWN},
                                            {"unfamiliar", RSP_NA_DONT_KNOW},
                                            {"no opinion", RSP_NA_DONT_KNOW},
                                            {"keine meinung", RSP_NA_DONT_KNOW},
                                            {"ingen mening", RSP_NA_DONT_KNOW},
                                            {"sans opinion", RSP_NA_DONT_KNOW},
                                            {"brak zdania", RSP_NA_DONT_KNOW},
                                            {"nie mam zdania", RSP_NA_DONT_KNOW},
                                            {"sem opinião", RSP_NA_DONT_KNOW},
                                            {"fără opinie", RSP_NA_DONT_KNOW},
                                            {"does not apply", RSP_NA_NOT_SHOWN},
                                            {"nicht zutreffend", RSP_NA_NOT_SHOWN},
                                            {"trifft nicht auf mich zu", RSP_NA_NOT_SHOWN},
                                            {"ikke relevant", RSP_NA_NOT_SHOWN},
                                            {"non applicable", RSP_NA_NOT_SHOWN},
                                            {"sans objet", RSP_NA_NOT_SHOWN},
                                            {"nie dotyczy", RSP_NA_NOT_SHOWN},
                                            {"não aplicável", RSP_NA_NOT_SHOWN},
                                            {"não se aplica", RSP_NA_NOT_SHOWN},
                                            {"nu se aplică", RSP_NA_NOT_SHOWN},
                                            {"nu este cazul", RSP_NA_NOT_SHOWN},
                                            {"no answer", RSP_NA_SKIPPED},
                                            {"not answered", RSP_NA_SKIPPED},
                                            {"missing", RSP_NA_UNKNOWN},
                                            {"keine angabe", RSP_NA_SKIPPED},
                                            {"keine antwort", RSP_NA_SKIPPED},
                                            {"k.a", RSP_NA_SKIPPED},
                                            {"ubesvaret", RSP_NA_SKIPPED},
                                            {"intet svar", RSP_NA_SKIPPED},
                                            {"sans réponse", RSP_NA_SKIPPED},
                                            {"pas de réponse", RSP_NA_SKIPPED},
                                            {"non réponse", RSP_NA_SKIPPED},
                                            {"brak odpowiedzi", RSP_NA_SKIPPED},
                                            {"sem resposta", RSP_NA_SKIPPED},
                                            {"não responde", RSP_NA_SKIPPED},
                                            {"fără răspuns", RSP_NA_SKIPPED},
                                            {"nu răspunde", RSP_NA_SKIPPED},
                                            {"non-răspuns", RSP_NA_SKIPPED}};

/* A label goes on after a word only with a sign that ends one: "dk" is not the beginning of "dkk 500". */
static bool fits(const char *folded, const char *word) {
    size_t n = strlen(word);
    if (strncmp(folded, word, n) != 0) return false;
    bool stem = strcmp(word, "refus") == 0 || strcmp(word, "recus") == 0 || strcmp(word, "refuz") == 0;
    return stem || !folded[n] || strchr(" ,;/.-()", folded[n]);
}

int rsp_missing_word(const char *folded) {
    size_t longest = 0;
    int kind = 0;
    for (size_t k = 0; k < sizeof missing_words / sizeof *missing_words; k++) {
        size_t n = strlen(missing_words[k].folded);
        if (n <= longest || !fits(folded, missing_words[k].folded)) continue;
        longest = n;
        kind = missing_words[k].kind;
    }
    return kind;
}
