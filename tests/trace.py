"""Can every sentence of the briefs be traced? Reads a run's folder with other software than made it and holds

    every PDF              what is printed outside of figures is made of sentences of quality/sentences.csv and of headings,
                           1,200 words at most, with four figures at most
    every sentence         its message is the template's, its condition holds for the values it was given
    every value            stands in data/results.csv, is not hidden, and is printed as the language writes that number or label
    every number printed   belongs to such a value, or to the template
    every chart            its title comes from the study, or is a claim that tests of the same run bear (quality/figures.csv)
    every note             numbers and names under every chart are worked out anew (with --notes)
    every quadrant         its text alternative names the factors that results.csv puts there, in every language
    every claim            highest, clear of the others, significant, none differs, so many: worked out anew from results.csv

Usage: trace.py STUDY RUN [--figures=LEAST] [--titles=LEAST] [--quadrants=LEAST] [--notes=LEAST] [--no-pages] [--spoil=ROW]; prints what is wrong and how much was held against what; status 1 if
anything is wrong or there was nothing to hold. --no-pages leaves the PDFs alone; --spoil changes one row
(analysis,domain,term,level,statistic), to see that it is noticed.
"""
import csv, decimal, glob, html, json, math, os, re, subprocess, sys

ALPHA = 0.05
FEW, NAMED = 4, 3  # values of a sentence, names of a list
UNSOUND = {"suppressed", "suppressed_complementary", "not_converged", "singular", "separated", "not_eligible", "not_comparable"}
KEY = ["analysis", "domain", "term", "level", "statistic"]
FOOTER = 785  # points from the top
MOST_WORDS, MOST_FIGURES = 1200, 4
# decimal sign, sign of thousands, digits from which thousands are set off, between number and sign of per cent
WRITING = {
    "en": (".", ",", 4, ""), "de": (",", ".", 4, " "), "da": (",", ".", 4, " "), "fr": (",", " ", 4, " "),
    "pl": (",", " ", 5, ""), "pt": (",", " ", 5, ""), "ro": (",", ".", 4, " "),
}
faults = []


def fault(where, what):
    faults.append("%s: %s" % (where, what))


def squeeze(text):
    """Without blanks of any kind and places to hyphenate: where lines break is not what is looked for."""
    return re.sub(r"[\s\u00a0\u202f\u00ad]+", "", text)


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def key_of(row):
    return tuple(row[c] for c in KEY)


def number(text):
    return float(text) if text else None


# ---- what is printed ------------------------------------------------------------------------------------------------


def figures_of(path):
    """Rectangles of the tagged figures by page."""
    data = json.loads(subprocess.run(["qpdf", "--json", path], capture_output=True, check=True).stdout)
    if "objects" in data:
        objects = dict(data["objects"])
    else:
        objects = {k[4:]: v.get("value") for k, v in data["qpdf"][1].items() if k.startswith("obj:")}
    pages = [p["object"] for p in data["pages"]]
    found = {}
    for o in objects.values():
        if isinstance(o, dict) and o.get("/S") == "/Figure":
            found.setdefault(pages.index(o["/Pg"]), []).append(o["/A"]["/BBox"])
    return found


def printed(path, figures):
    """All words outside of figures and footers, in the order in which they were drawn."""
    text = subprocess.run(["pdftotext", "-raw", "-bbox", path, "-"], capture_output=True, check=True).stdout.decode()
    page, height, words = -1, 0, []
    for line in text.split("\n"):
        head = re.search(r'<page width="[\d.]+" height="([\d.]+)"', line)
        if head:
            page, height = page + 1, float(head.group(1))
        word = re.search(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>', line)
        if not word:
            continue
        x, y = (float(word.group(1)) + float(word.group(3))) / 2, (float(word.group(2)) + float(word.group(4))) / 2
        inside = any(b[0] <= x <= b[2] and b[1] <= height - y <= b[3] for b in figures.get(page, []))
        if not inside and y < FOOTER:
            words.append(html.unescape(word.group(5)))
    return words


def headings(messages):
    """Words that stand beside the sentences, longest first."""
    keys = [k for k in messages if k.endswith(".heading") or k in (
        "brief.messages", "brief.about", "brief.table_country", "brief.table_read", "brief.table_used")]
    return sorted((squeeze(messages[k]) for k in keys), key=len, reverse=True)


def pattern_of(message):
    """The message as a pattern, its arguments anything."""
    return "".join(r"[^\[\]]*" if part.startswith("{") else re.escape(squeeze(part))
                   for part in re.split(r"(\{[^{}]*\})", message) if part)


def hold_length(name, words, figures, least):
    """Halves of a word at the end of a line count once; labels and numbers within figures are no text."""
    n, drawn = sum(not w.endswith("\u00ad") for w in words), sum(map(len, figures.values()))
    if n > MOST_WORDS:
        fault(name, "%d words" % n)
    if not least <= drawn <= MOST_FIGURES:
        fault(name, "%d figures" % drawn)


def hold_pages(path, said, messages, study_title, least_figures):
    name, figures = os.path.basename(path), figures_of(path)
    words = printed(path, figures)
    hold_length(name, words, figures, least_figures)
    rest = squeeze("".join(words))
    for s in sorted((s for s in said if s["part"] not in ("footer", "table")), key=lambda s: -len(s["text"])):
        text = squeeze(s["text"])
        if text not in rest:
            fault(name, "is not printed: " + s["text"])
        rest = rest.replace(text, "\n", 1)
    for s in (s for s in said if s["part"] == "table"):
        cells = squeeze(s["text"].replace(": ", "").replace(", ", ""))
        if cells not in rest:
            fault(name, "no line of the table reads: " + s["text"])
        rest = rest.replace(cells, "\n", 1)
    for key in ("brief.trace_figure", "brief.trace"):
        rest = re.sub(pattern_of(messages[key]), "\n", rest)
    for h in headings(messages) + [squeeze(study_title)]:
        rest = rest.replace(h, "\n")
    rest = re.sub(r"(?m)^(" + pattern_of(messages["brief.figure"]).replace(r"[^\[\]]*", r"\d+") + ")+", "\n", rest)
    left = [line for line in rest.split("\n") if line]
    if left:
        fault(name, "is said without a trace: " + " / ".join(left))


# ---- how it is written ----------------------------------------------------------------------------------------------


def write(x, digits, lang, percent=False, sign=False):
    point, group, least, gap = WRITING[lang]
    x = decimal.Decimal(x) * (100 if percent else 1)
    text = str(abs(x).quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_EVEN))
    whole, _, part = text.partition(".")
    if len(whole) >= least:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", group, whole)
    minus = "−" if x < 0 and float(text) != 0 else "+" if sign and float(text) != 0 else ""
    return squeeze(minus + whole + (point + part if part else "") + (gap + "%" if percent else ""))


def is_share(statistic):
    return statistic in ("proportion", "proportion_collapsed", "combination", "top2", "top", "explained_share")


def measure_of(row, rows):
    """The statistic whose numbers the analysis has: that of a difference is that of its sides."""
    if row["statistic"] != "difference":
        return row["statistic"]
    return next(r["statistic"] for r in rows[row["analysis"]] if r["statistic"] != "difference")


def as_written(row, column, rows, lang):
    x, measure = float(row[column]), measure_of(row, rows)
    if row["statistic"] == "difference" and (is_share(measure) or measure == "net"):
        return write(abs(x) * 100, 0, lang)
    if row["statistic"] == "difference":
        x = abs(x)
    if row["statistic"] == "count" or column == "n":
        return write(x, 0, lang)
    if measure == "net":
        return write(x * 100, 0, lang, sign=True)
    if is_share(measure):
        return write(x, 0, lang, percent=True)
    return write(x, 0 if abs(x) >= 1000 else 1 if abs(x) >= 1 else 2, lang)


# ---- conditions -----------------------------------------------------------------------------------------------------


class Unknown(Exception):
    pass


def holds(condition, numbers):
    """An XLSForm expression over the values; what is missing makes a comparison unknown."""
    if not condition:
        return True
    text = re.sub(r"is-missing\(\$\{(\w+)\}\)", lambda m: str(numbers.get(m.group(1)) is None), condition)
    text = re.sub(r"\$\{(\w+)\}\s*(<=|>=|!=|=|<|>)\s*(\$\{\w+\}|[\d.]+)",
                  lambda m: str(compare(m.group(1), m.group(2), m.group(3), numbers)), text)
    if not re.fullmatch(r"(True|False|and|or|not|[() ])*", text):
        raise Unknown(condition)
    return eval(text)  # nothing is left but truths and what joins them


def compare(name, sign, other, numbers):
    x = numbers.get(name)
    y = numbers.get(other[2:-1]) if other.startswith("$") else float(other)
    if x is None or y is None:
        return False
    return {"<": x < y, ">": x > y, "=": x == y, "<=": x <= y, ">=": x >= y, "!=": x != y}[sign]


# ---- claims ---------------------------------------------------------------------------------------------------------


def sound(r):
    return r["estimate"] and not UNSOUND & set(r["flag"].split(";"))


def p_of(r):
    return number(r["p_adj"] or r["p"])


def significant(r):
    return p_of(r) is not None and p_of(r) < ALPHA


def by_estimate(rows):
    return sorted(rows, key=lambda r: -float(r["estimate"]))


def strength(r):
    return abs(float(r["estimate"])) / float(r["se"]) if number(r["se"]) else 0


class Claims:
    """Numbers of an observation, worked out from all rows of its analysis."""

    def __init__(self, sentence, values, study):
        self.kind, self.values, self.study = sentence["kind"], values, study
        country = re.match(r"brief-(.*)-\w+\.pdf", sentence["brief"]).group(1)
        self.country = None if country == "all" else country
        self.domain = "%s=%s" % (study["country"], country) if self.country else ""
        cited = [v for v in values if v["source"] == "results"]
        self.analysis = cited[0]["analysis"] if cited else None
        self.rows = [r for r in study["tables"].get(self.analysis, []) if sound(r)]

    def cited(self, *names):
        return [v for v in self.values if v["value"] in names and v["source"] == "results"]

    def row(self, name):
        found = self.cited(name)
        return self.study["results"][key_of(found[0])] if found else None

    def like(self, row, *columns):
        return [r for r in self.rows if all(r[c] == row[c] for c in columns)]

    def numbers(self):
        made = getattr(self, "of_" + self.kind, None)
        return made() if made else {}

    def of_answer(self):
        top = self.row("share") or self.row("answer") or self.row("item")
        if top is None:
            return {}
        s = by_estimate(self.like(top, "domain", "term", "statistic"))
        out = {"shares": len(s), "share": float(s[0]["estimate"]), "last_share": float(s[-1]["estimate"]),
               "lower": number(s[0]["lower"]), "upper": number(s[0]["upper"]),
               "unreliable": "low_base" in s[0]["flag"].split(";"), "clear": 0}
        if len(s) > 1:
            out.update(second_share=float(s[1]["estimate"]), second_upper=number(s[1]["upper"]))
        if len(s) > 2:
            out["third_share"] = float(s[2]["estimate"])
        if len(s) > 3:
            out["clear"] = float(s[2]["lower"]) > max(float(r["upper"]) for r in s[3:])
        return out

    of_several = of_answer

    def of_battery(self):
        high = self.row("high") or self.row("answer")
        s = by_estimate(self.like(high, "domain", "level", "statistic"))
        return {"high_value": float(s[0]["estimate"]), "low_value": float(s[-1]["estimate"]), "items": len(s),
                "unreliable": "low_base" in s[0]["flag"].split(";"),
                "clear": float(s[0]["lower"]) > max(float(r["upper"]) for r in s[1:]),
                "apart": float(s[0]["lower"]) > float(s[-1]["upper"])}

    def of_values(self):
        one = self.row("value") or self.row("list")
        s = self.like(one, "domain", "level", "statistic")
        return {"items": min(FEW, len(s)), "value": float(s[0]["estimate"]), "lower": number(s[0]["lower"]),
                "upper": number(s[0]["upper"]), "unreliable": "low_base" in s[0]["flag"].split(";")}

    def of_profile(self):
        one = next(v for v in self.values if v["source"] == "results")
        s = by_estimate(self.like(self.study["results"][key_of(one)], "domain", "level", "statistic"))
        above, below = [r for r in s if float(r["lower"]) > 0], [r for r in s if float(r["upper"]) < 0]
        for name, want in (("positive", (above or s)[:min(NAMED, max(1, len(above)))]),
                           ("negative", (below or s)[::-1][:min(NAMED, max(1, len(below)))])):
            have = {key_of(v) for v in self.cited(name)}
            if have and have != {key_of(r) for r in want}:
                raise Unknown("%s names others than the ends of the scale" % name)
        return {"above": len(above), "below": len(below), "high_value": float(s[0]["estimate"]),
                "low_value": float(s[-1]["estimate"]), "items": len(s)}

    def of_spread(self):
        one = self.row("high_value")
        s = by_estimate(r for r in self.like(one, "term", "level", "statistic")
                        if r["domain"] and (not self.country or self.domain in r["domain"].split(";")))
        return {"groups": len(s), "high_value": float(s[0]["estimate"]), "low_value": float(s[-1]["estimate"]),
                "shares": one["level"] != ""}

    def family(self, cited):
        """Tested differences between two codes of the variable that the cited row is about."""
        codes = {}
        for r in self.rows:
            if r["statistic"] != "difference" and r["domain"].count("=") == 1:
                variable, code = r["domain"].split("=")
                codes.setdefault(variable, []).append(code)
        codes = {v: list(dict.fromkeys(c)) for v, c in codes.items()}
        pairs = {v: {"%s-%s" % (a, b) for a in c for b in c if a != b} for v, c in codes.items()}
        variable = next((v for v in pairs if cited["level"] in pairs[v]), None)
        s = [r for r in self.rows if r["statistic"] == "difference" and not r["domain"] and p_of(r) is not None]
        if variable is None:
            raise Unknown("no groups for the difference " + cited["level"])
        return variable, [r for r in s if r["level"] in pairs[variable]]

    def mirrors(self, r):
        """Of two answers yes, or else the second, says all."""
        item, _, level = r["term"].partition("=")
        codes = list(dict.fromkeys(q["level"] for q in self.rows if q["term"] == item and q["statistic"] == "proportion"))
        return level != "" and len(codes) == 2 and level == (codes[1] if codes[0] == "yes" else codes[0])

    def contrasts(self, variable, s):
        found = [r for r in s if significant(r)]
        out = {"tested": len(s), "significant": len(found)}
        if not found:
            return out
        own = [r for r in found if not self.mirrors(r)]
        if not own:
            raise Unknown("of two answers only one differs")
        best = max(own, key=strength)
        out.update(value=abs(float(best["estimate"])), shares="=" in best["term"], higher=float(best["estimate"]) > 0)
        if "item" in {v["value"] for v in self.values} and key_of(self.row("item")) != key_of(best):
            raise Unknown("not the clearest difference is named, which is %s" % ",".join(key_of(best)))
        high, low = self.row("high_value"), self.row("low_value")
        if high and low and not float(high["estimate"]) > float(low["estimate"]):
            raise Unknown("the higher value is not the higher one")
        for name in ("high_value", "low_value"):
            r = self.row(name)
            if r and r["domain"] and r["domain"].split("=")[1] not in best["level"]:
                raise Unknown("%s is not a side of %s" % (r["domain"], best["level"]))
        return out

    def of_difference(self):
        named = self.row("significant") or self.row("item") or self.row("value")
        out = self.contrasts(*self.family(named))
        out["by_country"] = self.family(named)[0] == self.study["country"]
        return out

    def of_against_average(self):
        s = [r for r in self.rows if r["statistic"] == "difference" and not r["domain"] and p_of(r) is not None
             and r["level"] == self.country + "-average"]
        out = self.contrasts(self.study["country"], s)
        if out["significant"] and self.row("high_value") and self.row("average"):
            above = float(self.row("high_value")["estimate"]) > float(self.row("average")["estimate"])
            if above != out["higher"]:
                raise Unknown("above and below the average are mixed up")
        return out

    def predictors(self):
        own = self.study["country"] + "="
        return [r for r in self.rows if r["statistic"] == "coefficient" and not r["term"].startswith(("(", own))
                and ":" not in r["term"] and not r["level"] and not r["domain"]]

    def of_model(self):
        s = self.predictors()
        up = [r for r in s if significant(r) and float(r["estimate"]) > 0]
        down = [r for r in s if significant(r) and float(r["estimate"]) < 0]
        for name, side in (("positive", up), ("negative", down)):
            have = {key_of(v) for v in self.cited(name)}
            want = {key_of(r) for r in sorted(side, key=strength, reverse=True)[:NAMED]}
            if have and have != want:
                raise Unknown("%s names others than the clearest" % name)
        return {"positives": len(up), "negatives": len(down), "unclear": len(s) - len(up) - len(down)}

    def of_association(self):
        return {"significant": significant(self.rows[0]), "tested": 1}

    def of_drivers(self):
        def of(statistic):
            return {r["term"]: r for r in self.rows if r["statistic"] == statistic and not r["domain"] and r["term"]}
        part, coefficient, net, wald = of("explained_share"), of("coefficient"), of("net"), of("wald_f")
        factors = [f for f in coefficient if f in {r["term"] for r in self.study["tables"][self.analysis]
                                                   if r["statistic"] == "explained_share"}]
        up = [f for f in factors if significant(coefficient[f]) and float(coefficient[f]["estimate"]) > 0 and f in part]
        sorts = {
            "positive": sorted(up, key=lambda f: -float(part[f]["estimate"])),
            "list": sorted(up, key=lambda f: -float(part[f]["estimate"])),
            "negative": sorted((f for f in factors if significant(coefficient[f]) and float(coefficient[f]["estimate"]) < 0),
                               key=lambda f: -strength(coefficient[f])),
            "enabling": sorted((f for f in up if f in net and float(net[f]["lower"]) > 0), key=lambda f: -float(net[f]["estimate"])),
            "blocking": sorted((f for f in up if f in net and float(net[f]["upper"]) < 0), key=lambda f: float(net[f]["estimate"])),
            "depends": sorted((f for f in wald if significant(wald[f])), key=lambda f: -float(wald[f]["estimate"])),
        }
        for name, want in sorts.items():
            have = list(dict.fromkeys(v["term"] for v in self.cited(name)))
            if have and have != want[:NAMED]:
                raise Unknown("%s names %s, not %s" % (name, have, want[:NAMED]))
        return {"positives": len(up), "blockings": len(sorts["blocking"]),
                "negatives": len(sorts["negative"]), "has_negative": bool(sorts["negative"]),
                "unclear": sum(not significant(coefficient[f]) for f in factors),
                "has_enabling": bool(sorts["enabling"]), "has_blocking": bool(sorts["blocking"]),
                "has_depends": bool(sorts["depends"]),
                "has_unassessed": any({"unanswered", "constant"} & set(r["flag"].split(";")) and r["statistic"] == "role"
                                      for r in self.study["tables"][self.analysis])}

    def of_drivers_country(self):
        def of(statistic, domain):
            return {r["term"]: r for r in self.rows if r["statistic"] == statistic and r["domain"] == domain and r["term"]}
        own, net, pooled = of("coefficient", self.domain), of("net", self.domain), of("pooled", "")

        def t(f):
            return float(own[f]["estimate"]) / float(own[f]["se"])

        def clear(rows, f, sign):
            return f in rows and significant(rows[f]) and float(rows[f]["estimate"]) * sign > 0
        own = {f: r for f, r in own.items() if number(r["se"])}
        against = [f for f in own if any(clear(own, f, -s) and clear(pooled, f, s) for s in (1, -1))]
        sorts = {
            "positive": sorted((f for f in own if clear(own, f, 1)), key=lambda f: -t(f)),
            "negative": sorted((f for f in own if clear(own, f, -1)), key=t),
            "enabling": sorted((f for f in net if clear(net, f, 1)), key=lambda f: -float(net[f]["estimate"])),
            "blocking": sorted((f for f in net if clear(net, f, -1)), key=lambda f: float(net[f]["estimate"])),
            "reversed": sorted(against, key=lambda f: -abs(t(f))),
        }
        for name, want in sorts.items():
            have = list(dict.fromkeys(v["term"] for v in self.cited(name)))
            if have and have != want[:NAMED]:
                raise Unknown("%s names %s, not %s" % (name, have, want[:NAMED]))
            if self.cited(name) and self.cited(name)[0]["domain"] != self.domain:
                raise Unknown("%s cites another country" % name)
        out = {"positives": len(sorts["positive"]), "negatives": len(sorts["negative"]),
               "unclear": sum(not significant(r) for r in own.values())}
        out.update({"has_" + name: bool(sorts[name]) for name in ("negative", "enabling", "blocking", "reversed")})
        return out

    def of_edition(self):
        response = {(r["domain"], r["term"]): float(r["estimate"]) for r in self.study["tables"].get("response", [])
                    if r["statistic"] == "count" and r["estimate"]}
        out = {"one_country": self.country is not None}
        for name, stage in (("n", "kept"), ("read", "read"), ("aside", "set_aside")):
            cited = self.row(name)
            if cited and cited["analysis"] == "response":
                out[name] = response[(cited["domain"], stage)]
        out["suppressed"] = self.study["hidden"]
        for name in ("differences", "drivers", "models"):
            for v in self.cited(name):
                if not significant(self.study["results"][key_of(v)]):
                    raise Unknown("%s rests on a row that is not significant" % name)
        for v in self.cited("contrasts", "unclear_contrasts"):
            if p_of(self.study["results"][key_of(v)]) is None:
                raise Unknown("a row without a test")
        for name, verdict in (("not_comparable", True), ("caution", False)):
            out[name] = len({r["term"] for r in self.study["verdicts"] if r["level"] and
                             r["term"].endswith(":" + self.study["country"]) and r["level"] != "comparable" and
                             (r["level"] == "not_comparable") == verdict})
        return out


# ---- a sentence -----------------------------------------------------------------------------------------------------


def label_words(study, row, column, lang):
    """What the row's codes may be called: labels of the variable and of the codes in this column."""
    codes = [row[column]] + re.split(r"[=;:/-]", row[column])
    return {squeeze(study["labels"][lang].get(c, c)) for c in codes if c} | {
        squeeze(study["labels"][lang].get(c, c).split(" (")[0]) for c in codes if c}


def hold_value(where, s, v, study):
    row = study["results"].get(key_of(v))
    if row is None:
        return fault(where, "there is no row " + ",".join(key_of(v)))
    if "suppressed" in row["flag"]:
        return fault(where, "rests on a hidden row: " + ",".join(key_of(v)))
    if not v["printed"]:
        return None
    lang, text = s["language"], squeeze(v["printed"])
    if text not in squeeze(s["text"]) and s["part"] != "table":
        unused = "select" in study["messages"][lang].get(s["template"], "")
        return None if unused else fault(where, "%s does not stand in the sentence: %s" % (v["value"], v["printed"]))
    if v["column"] in ("estimate", "lower", "upper", "n"):
        want = as_written(row, v["column"], study["tables"], lang)
        if text != want and not text.startswith(want):
            fault(where, "%s of %s is %s, printed %s" % (v["column"], ",".join(key_of(v)), want, v["printed"]))
    elif v["column"] in ("term", "level", "domain") and v["value"] not in ("grouping", "verdict"):
        if not any(w in text for w in label_words(study, row, v["column"], lang)):
            fault(where, "%s is no label of the %s of %s" % (v["printed"], v["column"], ",".join(key_of(v))))
    return None


QUOTED = re.compile("“[^”]*”|„[^“”]*[“”]|»[^«]*«|«[^»]*»")


def hold_numbers(where, s, values, study):
    """Digits of a sentence that no value and no template accounts for."""
    rest = squeeze(QUOTED.sub(" ", s["text"]))
    for v in values:
        if v["value"] == "content":
            rest = rest.replace(v["printed"], "\n")
    dates = [v["printed"].split("-") for v in values if re.fullmatch(r"\d{4}-\d\d-\d\d", v["printed"])]
    for whole in (True, False):
        for y, m, d in dates:
            rest = re.sub(r"(?<!\d)(%s)(?!\d)" % ("%s/%s/%s" % (d, m, y) if whole else "%s|%d" % (y, int(d))), "\n", rest)
    for v in sorted(values, key=lambda v: -len(v["printed"])):
        own = squeeze(QUOTED.sub(" ", v["printed"]))
        rest = rest.replace(own, "\n") if own else rest
        x = number(v["number"])
        if x is not None and x == int(x):
            rest = re.sub(r"(?<!\d)%s(?!\d)" % re.escape(write(x, 0, s["language"])), "\n", rest)
    template = squeeze(study["messages"][s["language"]][s["template"]])
    left = [t for t in re.findall(r"\d+", rest) if t not in template]
    if left:
        fault(where, "%s come from nowhere: %s" % (left, s["text"]))


def hold_claims(where, s, values, study):
    numbers = {v["value"]: number(v["number"]) for v in values}
    try:
        if not holds(s["condition"], numbers):
            fault(where, "its condition does not hold: " + s["condition"])
        if s["part"] == "table":
            return 0
        own = Claims(s, values, study).numbers()
    except (Unknown, StopIteration, IndexError, KeyError) as e:
        fault(where, "cannot be worked out: %r" % e)
        return 0
    held = 0
    for name, x in numbers.items():
        if x is None or name not in own or own[name] is None:
            continue
        held += 1
        if abs(float(own[name]) - x) > 1e-12 * max(1, abs(x)):
            fault(where, "%s is %r, not %r" % (name, float(own[name]), x))
    return held


def hold_sentence(s, values, study):
    where = "%s, sentence %s" % (s["brief"], s["sentence"])
    if s["template"] not in study["messages"][s["language"]]:
        fault(where, "there is no message " + s["template"])
        return 0
    if s["kind"] != "edition" and not any(v["source"] == "results" for v in values):
        fault(where, "rests on no row: " + s["text"])
    for v in values:
        if v["source"] == "results":
            hold_value(where, s, v, study)
        elif v["source"] == "none":
            fault(where, "the value %s comes from nowhere" % v["value"])
    hold_numbers(where, s, values, study)
    return hold_claims(where, s, values, study)


def hold_apart(brief, sentences):
    """A key message stands alone: neither the title nor a finding says the same in the same words."""
    parts = {part: [s["text"].rstrip(".") for s in sentences if s["part"] == part] for part in ("title", "message", "finding")}
    for text in parts["message"]:
        if text in parts["title"] or any(f.startswith(text) for f in parts["finding"]):
            fault(brief, "said twice: " + text)


# ---- titles of charts -----------------------------------------------------------------------------------------------


def labels_for(run, code, lang):
    return {squeeze(r.get("label_" + lang) or code) for r in read_csv(os.path.join(run, "data/codebook.csv"))
            if (r["code"] or r["variable"]) == code}


def number_of(row, field):
    return float(row[field]) if row.get(field) else math.nan


def known(row):
    return row is not None and not math.isnan(number_of(row, "estimate")) and not re.search("suppressed|not_comparable", row["flag"])


def own_domain(chart, study):
    country = chart.rsplit("-", 2)[1]
    return "" if country == "all" else "%s=%s" % (study["country"], country)


def codes_of(level):
    """The two groups that a test of differences names: codes may hold dashes, so every cut."""
    return [(level[:m.start()], level[m.end():]) for m in re.finditer("-", level)]


def pair_domain(row):
    """The variable whose groups are compared, and the rest of the domain."""
    before, _, pair = row["domain"].rpartition(";")
    return pair.partition("=")[0], before


def groupings_of(tests, study):
    """By variable the codes of its groups in the analysis whose items are tested."""
    terms, found = {t["term"] for t in tests}, {}
    for r in study["tables"][tests[0]["analysis"]]:
        if r["statistic"] != "difference" and r["domain"] and (r["term"] in terms or "%s=%s" % (r["term"], r["level"]) in terms):
            found.setdefault(pair_domain(r)[0], set()).add(r["domain"].rpartition("=")[2])
    return found


def sides_of(test, groupings):
    """The variable and the two codes that are tested; None if that is not clear. A code may be `average`."""
    found = []
    for variable, codes in groupings.items():
        level = test["level"].removeprefix(variable + "=")
        found += [(variable, a, b) for a, b in codes_of(level) if a in codes and b in codes | {"average"}]
    return found[0] if len(found) == 1 else None


def side_of(test, codes):
    """The choice that lies above, of the two that are tested."""
    cut = [c for c in codes_of(test["level"]) if c[0] in codes and c[1] in codes]
    return cut[0][0 if number_of(test, "estimate") > 0 else 1] if len(cut) == 1 else None


class Tests:
    """The tests that a title cites, and whether they are all that the run has of these items, groupings and domains."""

    def __init__(self, tests, study, averages=False):
        self.groupings = groupings_of(tests, study)
        self.sides = {key_of(t): sides_of(t, self.groupings) for t in tests}
        domains, terms = {t["domain"] for t in tests}, {t["term"] for t in tests}
        shown = {s[0] for s in self.sides.values() if s}
        self.every = []
        for r in study["tables"][tests[0]["analysis"]]:
            side = sides_of(r, self.groupings) if r["statistic"] == "difference" else None
            if side and r["domain"] in domains and r["term"] in terms and side[0] in shown and known(r) and r["p_adj"] \
                    and (side[2] == "average") == averages:
                self.every.append(r)
        self.complete = sorted(map(key_of, self.every)) == sorted(map(key_of, tests)) and all(self.sides.values())
        self.tests, self.clear = tests, [t for t in tests if significant(t)]

    def upper(self, t):
        return self.sides[key_of(t)][1 if number_of(t, "estimate") > 0 else 2]

    def lower(self, t):
        return self.sides[key_of(t)][2 if number_of(t, "estimate") > 0 else 1]

    def items(self, clear):
        """The items, or the answers of one item, with a clear difference, or without any."""
        found = {t["term"] for t in self.clear}
        return sorted(label_code(t) for t in {t["term"] for t in self.tests} if (t in found) == clear)


def label_code(term):
    """What an item is called by: a term, of answers to one question the answer."""
    item, _, level = term.partition("=")
    return level or item


def claim_ends(tests, study):
    """Groups that lie above, or below, every other group of the analysis, by a test each, and by their estimates."""
    s = Tests(tests, study)
    if len({t["term"] for t in tests}) != 1 or not s.complete and len(s.every) < len(tests):
        return None, None
    if len(s.groupings) != 1 or any(not significant(t) for t in tests) or not all(s.sides.values()):
        return None, None
    codes = next(iter(s.groupings.values()))
    item, _, level = tests[0]["term"].partition("=")
    values = {r["domain"].split("=")[1]: number_of(r, "estimate") for r in study["tables"][tests[0]["analysis"]]
              if r["term"] == item and r["level"] == level and r["domain"].count("=") == 1 and known(r)}
    tops = {c for c in codes if sum(s.upper(t) == c for t in tests) == len(codes) - 1 and c == max(values, key=values.get)}
    lasts = {c for c in codes if sum(s.lower(t) == c for t in tests) == len(codes) - 1 and c == min(values, key=values.get)}
    used = {key_of(t) for t in tests if s.upper(t) in tops or s.lower(t) in lasts}
    if len(used) != len(tests):
        return None, None
    return (tops.pop() if tops else None), (lasts.pop() if lasts else None)


def claim_highest(chart, tests, study):
    return {"name": claim_ends(tests, study)[0]}


def claim_highest_all(chart, tests, study):
    """The group that lies above every other by a test each, on each item that the analysis compares."""
    s = Tests(tests, study)
    terms = {r["term"] for r in study["tables"][tests[0]["analysis"]] if r["statistic"] == "difference"}
    codes = set().union(*s.groupings.values())
    above = {s.upper(t) for t in tests} if all(s.sides.values()) else set()
    enough = len(tests) == len(terms) * (len(codes) - 1) and len(terms) > 1 and len(s.groupings) == 1
    return {"name": above.pop()} if len(above) == 1 and enough and len(s.clear) == len(tests) else None


def claim_lowest(chart, tests, study):
    return {"name": claim_ends(tests, study)[1]}


def claim_both_ends(chart, tests, study):
    top, last = claim_ends(tests, study)
    return {"name": top, "other": last if top != last else None}


def claim_average(chart, tests, study):
    """All tests of countries against the average; who lies above it and who below."""
    s = Tests(tests, study, averages=True)
    if not s.complete or len({t["term"] for t in tests}) != 1 or set(s.groupings) < {study["country"]}:
        return None
    up = [s.sides[key_of(t)][1] for t in s.clear if number_of(t, "estimate") > 0]
    down = [s.sides[key_of(t)][1] for t in s.clear if number_of(t, "estimate") < 0]
    return {"k": len(s.clear), "n": len(tests), "name": up, "other": down}


def only_up(chart, tests, study):
    said = claim_average(chart, tests, study)
    return said if said and not said["other"] else None


def only_down(chart, tests, study):
    said = claim_average(chart, tests, study)
    return {"k": said["k"], "n": said["n"], "name": said["other"]} if said and not said["name"] else None


def claim_differences(chart, tests, study):
    """All known tests of the items, none left out; how many are significant."""
    s = Tests(tests, study)
    return {"k": len(s.clear), "n": len(tests)} if s.complete else None


def claim_higher(chart, tests, study):
    """Of two groups the one that lies above wherever a test finds a difference, and where that is."""
    s = Tests(tests, study)
    codes = set().union(*s.groupings.values())
    above = {s.upper(t) for t in s.clear} if s.complete else set()
    if len(codes) != 2 or len(above) != 1:
        return None
    return {"k": len(s.clear), "n": len(tests), "name": above.pop(), "other": s.items(True)}


def claim_always(tests, study, side):
    s = Tests(tests, study)
    found = {getattr(s, side)(t) for t in s.clear} if s.complete else set()
    return {"k": len(s.clear), "n": len(tests), "name": found.pop() if len(found) == 1 else None} if found else None


def claim_always_lower(chart, tests, study):
    return claim_always(tests, study, "lower")


def claim_always_higher(chart, tests, study):
    return claim_always(tests, study, "upper")


def claim_one(chart, tests, study):
    s = Tests(tests, study)
    if not s.complete or len(s.clear) != 1:
        return None
    return {"k": 1, "name": s.upper(s.clear[0]), "other": s.lower(s.clear[0]), "value": s.items(True)}


def claim_items(chart, tests, study):
    s = Tests(tests, study)
    return {"name": s.items(True)} if s.complete and s.items(False) else None


def claim_items_but(chart, tests, study):
    s = Tests(tests, study)
    return {"name": s.items(False)} if s.complete and s.items(True) else None


def claim_groupings(chart, tests, study):
    s = Tests(tests, study)
    shown = {side[0] for side in s.sides.values() if side}
    if not s.complete or shown != set(s.groupings):
        return None
    return {"name": sorted({s.sides[key_of(t)][0] for t in s.clear})}


def claim_waves(chart, tests, study):
    """Every line's test of the first wave against the last; which rise and which fall."""
    s = Tests(tests, study)
    if not s.complete or len({side[0] for side in s.sides.values()}) != 1:
        return None
    waves = {frozenset(side[1:]) for side in s.sides.values()}
    if len(waves) != 1:
        return None
    wave = s.sides[key_of(tests[0])][0]
    order = list(dict.fromkeys(r["domain"].rpartition("=")[2] for r in study["tables"][tests[0]["analysis"]]
                               if r["domain"] and pair_domain(r)[0] == wave))
    if {order[0], order[-1]} != set(next(iter(waves))):
        return None
    names, by_group = {True: [], False: []}, len({t["term"] for t in tests}) == 1 and any(t["domain"] for t in tests)
    for t in s.clear:
        line = t["domain"].rpartition("=")[2] if by_group else label_code(t["term"])
        names[s.upper(t) == order[-1]].append(line)
    return {"k": len(s.clear), "n": len(tests), "name": names[True], "other": names[False],
            "first": order[0], "last": order[-1]}


def claim_rise(chart, tests, study):
    said = claim_waves(chart, tests, study)
    return said if said and not said["other"] else None


def claim_fall(chart, tests, study):
    said = claim_waves(chart, tests, study)
    return {**said, "name": said["other"]} if said and not said["name"] else None


def leaders(rows, most):
    """The rows, one or two, whose intervals lie above those of all others."""
    s = by_estimate(rows)
    for m in range(1, most + 1):
        if m < len(s) and min(number_of(r, "lower") for r in s[:m]) > max(number_of(r, "upper") for r in s[m:]):
            return s[:m]
    return []


def claim_combination(chart, rows, study):
    """Every combination, and the one that is clearly the most frequent."""
    every = [r for r in study["tables"][rows[0]["analysis"]]
             if r["statistic"] == "combination" and r["domain"] == own_domain(chart, study) and r["level"] != "*"]
    top = leaders(rows, 1)
    if sorted(map(key_of, every)) != sorted(map(key_of, rows)) or not top:
        return None
    codes = top[0]["level"].split()
    return {"k": len(codes), "name": codes}


def claim_together(chart, rows, study):
    said = claim_combination(chart, rows, study)
    return said if said and said["k"] > 1 else None


def claim_named(chart, rows, study):
    every = [r for r in study["tables"][rows[0]["analysis"]]
             if r["statistic"] == "proportion" and r["domain"] == own_domain(chart, study)]
    top = leaders(rows, NAMED_IN_TITLE)
    same = sorted(map(key_of, every)) == sorted(map(key_of, rows))
    return {"name": [r["level"] for r in top]} if same and top else None


def every_correlation(chart, rows, study):
    every = [r for r in study["tables"][rows[0]["analysis"]]
             if r["statistic"].startswith("correlation") and r["domain"] == own_domain(chart, study)]
    return sorted(map(key_of, every)) == sorted(map(key_of, rows))


def claim_correlations(chart, rows, study):
    return {"k": sum(number_of(r, "lower") > 0 for r in rows), "n": len(rows)} if every_correlation(chart, rows, study) else None


def claim_closest(chart, rows, study, sign=1):
    """The pair whose size is above all others' by the intervals."""
    top = max(rows, key=lambda r: abs(number_of(r, "estimate")))
    near = number_of(top, "lower") if number_of(top, "estimate") > 0 else -number_of(top, "upper")
    far = max(max(abs(number_of(r, "lower")), abs(number_of(r, "upper"))) for r in rows if r is not top)
    if not every_correlation(chart, rows, study) or near <= far or number_of(top, "estimate") * sign < 0:
        return None
    return {"name": [top["term"], top["level"]]}


def claim_opposed(chart, rows, study):
    return claim_closest(chart, rows, study, -1)


def claim_weights(chart, rows, study):
    """All groups that are weighted by themselves; whose design effect is the largest."""
    every = [r for r in study["tables"]["weights"] if r["statistic"] == "deff_kish"]
    if sorted(map(key_of, every)) != sorted(map(key_of, rows)):
        return None
    top = max(rows, key=lambda r: number_of(r, "estimate"))
    return {"k": len(rows), "name": top["domain"].rpartition("=")[2], "number": (number_of(top, "estimate"), 2)}


def claim_net(chart, nets, study):
    """All items of the chart's analysis; for which the interval lies above zero, and for which it does not."""
    analysis = chart.rsplit("-", 2)[0].split(".")[0]
    terms = {r["term"] for r in study["tables"][analysis] if r["statistic"] in ("proportion", "net")}
    domain = own_domain(chart, study)
    if {r["term"] for r in nets} != terms or any(r["statistic"] != "net" or r["domain"] != domain for r in nets):
        return None
    up = [r["term"] for r in nets if number_of(r, "lower") > 0]
    return {"k": len(up), "n": len(terms), "name": up, "but": [r["term"] for r in nets if r["term"] not in up]}


def but(claim):
    """The same of those that are not found."""
    def made(chart, rows, study):
        said = claim(chart, rows, study)
        return {**said, "name": said["but"]} if said else None
    return made


def throughout(claim):
    """The same, found everywhere."""
    def made(chart, rows, study):
        said = claim(chart, rows, study)
        return said if said and said["k"] == said["n"] else None
    return made


def claim_factors(chart, rows, study):
    """All factors of the drivers, with p-values adjusted for their number."""
    factors = {r["term"] for r in study["tables"][rows[0]["analysis"]] if r["statistic"] == "coefficient_std" and known(r)}
    if {r["term"] for r in rows} != factors or any(r["statistic"] != "coefficient" or r["domain"] for r in rows):
        return None
    up = [r["term"] for r in rows if number_of(r, "p_adj") < 0.05]
    return {"k": len(up), "n": len(factors), "name": up, "but": [r["term"] for r in rows if r["term"] not in up]}


def claim_associations(chart, rows, study):
    """All rows of the model with the statistic shown."""
    if any(r["statistic"] == "coefficient" and r["p_adj"] for r in rows):
        return claim_factors(chart, rows, study)
    shown = {r["statistic"] for r in rows}
    every = [r for r in study["tables"][rows[0]["analysis"]] if r["statistic"] in shown and not r["domain"] and known(r)
             and r["term"] != "(Intercept)"]
    if len(shown) != 1 or sorted(map(key_of, every)) != sorted(map(key_of, rows)):
        return None
    return {"k": sum(number_of(r, "p") < 0.05 for r in rows), "n": len(rows)}


def claim_blocks(chart, rows, study):
    """Factors whose importance is above the average with its interval, and whose rating is below zero with its own."""
    table, domain = study["tables"][rows[0]["analysis"]], own_domain(chart, study)
    shares = {r["term"]: r for r in table if r["statistic"] == "explained_share" and not r["domain"]}
    nets = {r["term"]: r for r in table if r["statistic"] == "net" and r["domain"] == domain}
    both = {t for t in shares if known(shares[t]) and known(nets.get(t))}
    average = 1 / sum(not re.search("unanswered|constant", r["flag"]) for r in shares.values())
    found = [t for t in both if number_of(shares[t], "lower") > average and number_of(nets[t], "upper") < 0]
    if sorted(map(key_of, rows)) != sorted(key_of(x[t]) for t in both for x in (shares, nets)):
        return None
    return {"k": len(found), "n": len(both), "name": found}


def claim_first(chart, tests, study):
    """The choice with the largest share, and how many others no test puts below it."""
    table, domain = study["tables"][tests[0]["analysis"]], own_domain(chart, study)
    shares = {r["level"]: r for r in table if r["statistic"] == "proportion" and r["domain"] == domain}
    top = max((c for c in shares if known(shares[c])), key=lambda c: number_of(shares[c], "estimate"))
    pairs = [(t, [c for c in codes_of(t["level"]) if set(c) <= set(shares) and top in c]) for t in tests]
    others = {c for _, cuts in pairs for cut in cuts for c in cut} - {top}
    if others != set(shares) - {top} or any(t["domain"] != domain or len(cuts) != 1 for t, cuts in pairs):
        return None
    below = {c for t, cuts in pairs if significant(t) and side_of(t, shares) == top for c in cuts[0]} - {top}
    return {"k": len(shares) - len(below), "n": len(shares), "name": [c for c in shares if c not in below]}


# What a title claims: how it is worked out anew, and how many it must be of (None: any).
TITLES = {"finding_highest": (claim_highest, None), "finding_lowest": (claim_lowest, None),
          "finding_highest_all": (claim_highest_all, None),
          "finding_ends": (claim_both_ends, None), "finding_average_both": (claim_average, None),
          "finding_average_above": (only_up, None), "finding_average_below": (only_down, None),
          "finding_average_some": (claim_average, None),
          "finding_one_difference": (claim_one, None), "finding_one_difference_item": (claim_one, None),
          "finding_higher": (claim_higher, None), "finding_higher_only": (claim_higher, None),
          "finding_higher_all": (throughout(claim_higher), None),
          "finding_always_lower": (claim_always_lower, None), "finding_always_higher": (claim_always_higher, None),
          "finding_items": (claim_items, None), "finding_items_but": (claim_items_but, None),
          "finding_groupings": (claim_groupings, None),
          "finding_differences": (claim_differences, None), "finding_no_difference": (claim_differences, 0),
          "finding_rise": (claim_rise, None), "finding_fall": (claim_fall, None),
          "finding_rise_fall": (claim_waves, None), "finding_changes": (claim_waves, None),
          "finding_no_change": (claim_waves, 0),
          "finding_together": (claim_together, None), "finding_alone": (claim_combination, 1),
          "finding_named": (claim_named, None),
          "finding_closest": (claim_closest, None), "finding_closest_opposed": (claim_opposed, None),
          "finding_correlations": (claim_correlations, None),
          "finding_correlations_all": (throughout(claim_correlations), None),
          "finding_deff": (claim_weights, 1), "finding_deff_most": (claim_weights, None),
          "finding_deff_least": (claim_weights, None),
          "finding_net": (claim_net, None), "finding_net_none": (claim_net, 0),
          "finding_net_all": (throughout(claim_net), None), "finding_net_only": (claim_net, None),
          "finding_net_but": (but(claim_net), None),
          "finding_rating": (claim_net, None), "finding_rating_none": (claim_net, 0),
          "finding_rating_all": (throughout(claim_net), None), "finding_rating_only": (claim_net, None),
          "finding_rating_but": (but(claim_net), None),
          "finding_factors": (claim_factors, None), "finding_factors_all": (throughout(claim_factors), None),
          "finding_factors_only": (claim_factors, None), "finding_factors_but": (but(claim_factors), None),
          "finding_associations": (claim_associations, None), "finding_no_association": (claim_associations, 0),
          "finding_blocks": (claim_blocks, None), "finding_some_block": (claim_blocks, None),
          "finding_none_blocks": (claim_blocks, 0), "finding_first": (claim_first, 1),
          "finding_first_two": (claim_first, 2), "finding_first_shared": (claim_first, None)}
NAMED_IN_TITLE = 2
EVERYBODY = ("average_of_countries", "all_countries", "everybody")
ARGUMENTS = ("name", "other", "first", "last", "value")


def written_names(codes, run, lang, messages):
    """What one or two codes may be called; nothing where there are none or more."""
    codes = [codes] if isinstance(codes, str) else list(codes or [])
    everybody = {squeeze(messages[k]) for k in EVERYBODY}
    labels = [labels_for(run, c, lang) if c else everybody for c in codes]
    if len(labels) == 1:
        return labels[0]
    if len(labels) != NAMED_IN_TITLE:
        return set()
    two = squeeze(messages["names_two"])
    return {two.replace("{first}", a).replace("{second}", b) for x, y in (labels, labels[::-1]) for a in x for b in y}


def claim_texts(message, said, run, lang, messages):
    """All that the message may say of what was worked out."""
    may = {message.replace("{k}", str(said.get("k"))).replace("{n}", str(said.get("n")))}
    for argument in ARGUMENTS:
        place = "{%s}" % argument
        if place not in message:
            continue
        if argument == "value" and "number" in said:
            names = {write(*said["number"], lang)}
        else:
            names = written_names(said.get(argument), run, lang, messages)
        may = {m.replace(place, n) for m in may for n in names}
    return may


def hold_title(chart, lang, title, lines, run, study):
    """The title says, in its message's words, what the results say when they are asked anew."""
    origin = lines[0]["origin"]
    work_out, must = TITLES[origin.removesuffix("_respondents")]
    rows = [study["results"].get(key_of(line)) for line in lines]
    if not all(map(known, rows)) or len(set(map(key_of, rows))) != len(rows) or len({r["analysis"] for r in rows}) != 1:
        return fault(chart, "is no claim that rows bear: " + title)
    said = work_out(chart, rows, study)
    messages = study["messages"][lang]
    message = squeeze(messages[origin])
    may = claim_texts(message, said, run, lang, messages) if said else set()
    if must not in (None, said.get("k") if said else None) or not may:
        return fault(chart, "claims what its rows do not bear: " + title)
    if squeeze(title) not in may:
        fault(chart, "should say %s, but says: %s" % (" or ".join(sorted(may)), title))
    if len(title.split()) > 10:
        fault(chart, "has a title of more than ten words: " + title)


def hold_titles(run, study):
    """Every chart's title comes from the study, or is a claim that holds. Number of claims."""
    charts, claims = {}, 0
    for line in read_csv(os.path.join(run, "quality/figures.csv")):
        charts.setdefault(line["chart"], []).append(line)
    drawn = {os.path.basename(p)[:-4]: p for p in glob.glob(os.path.join(run, "charts/*.svg"))}
    for name in sorted(set(drawn) ^ set(charts)):
        fault(name, "is a chart without a line in figures.csv, or a line without a chart")
    for name in sorted(set(drawn) & set(charts)):
        lines, lang = charts[name], charts[name][0]["language"]
        with open(drawn[name], encoding="utf-8") as f:
            title = html.unescape(re.search(r"<title[^>]*>([^<]*)</title>", f.read()).group(1))
        if any(line["title"] != title for line in lines):
            fault(name, "has another title: " + title)
        if lines[0]["origin"].removesuffix("_respondents") in TITLES:
            study["messages"].setdefault(lang, messages_of(lang))
            claims += 1
            hold_title(name, lang, title, lines, run, study)
        elif not lines[0]["origin"].startswith("study.yaml: ") or lines[0]["analysis"]:
            fault(name, "has a title from nowhere: " + title)
    return claims


# ---- text alternatives of quadrants ---


def list_side(rows, domain, labels, enables, nobody):
    """The factors whose share is above the average and whose rating lies on one side of zero, worked out anew."""
    shares = {r["term"]: r for r in rows if r["statistic"] == "explained_share" and not r["domain"] and r["estimate"]}
    ratings = {r["term"]: r for r in rows if r["statistic"] == "net" and r["domain"] == domain and r["estimate"]}
    factors = {r["term"] for r in rows if r["statistic"] == "explained_share"}
    found = [labels[t] for t, r in shares.items()
             if t in ratings and float(r["estimate"]) > 1 / len(factors)
             and (float(ratings[t]["estimate"]) > 0) == enables]
    return "; ".join(found) or nobody


def hold_quadrants(run, study):
    """What the text under a quadrant says of its factors follows from the results. Number of texts."""
    held = 0
    for path in sorted(glob.glob(os.path.join(run, "charts/*.svg"))):
        name = os.path.basename(path)[:-4]
        stem, country, lang = name.rsplit("-", 2)
        rows = study["tables"].get(stem.split(".")[0], [])
        messages = study["messages"].setdefault(lang, messages_of(lang))
        head = messages["alt_quadrant"].split(",")[0]
        with open(path, encoding="utf-8") as f:
            said = re.search(r"<desc[^>]*>([^<]*)</desc>", f.read())
        said = html.unescape(said.group(1)) if said else ""
        if not said.startswith(head):
            continue
        held += 1
        labels = study["labels"].setdefault(lang, labels_of(run, lang))
        domain = "" if country == "all" else "%s=%s" % (study["country"], country)
        sides = [list_side(rows, domain, labels, e, messages["quadrant_nobody"]) for e in (True, False)]
        claim = messages["quadrant_alt"].replace("{enables}", sides[0]).replace("{blocks}", sides[1])
        if claim not in said:
            fault(name, "says of its factors what the results do not: " + said)
    return held


# ---- notes under charts ---

KINDS = ("agreement", "diverging", "dots", "forest", "heatmap", "tiles", "upset", "ranking", "slope", "multiples", "histogram",
         "quadrant")
LOOKS = ["key_" + k for k in ("low_base", "suppressed", "not_comparable", "not_eligible", "not_estimable", "no_data")]
# What may stand under a chart, from its end: sentences without a value, and those whose values are captured.
PLAIN = ["disclosure_off_note", "self_selected_note", "sampling_only_note", "interval_note", "collapsed_note",
         "correlations_note", "histogram_note", "ranking_all", "ranking_nearly_all", "ranking_groups", "ranking_no_groups", "forest_further", "upset_note"]
VALUED = ["content_id", "code_note", "period", "source", "reference_note", "no_interval_note", "arrow_note", "tiles_others",
          "upset_more", "upset_others", "quadrant_note_country", "quadrant_negative", "quadrant_missing"]


def blocks_of(message):
    """The message cut into its words and its arguments with their braces."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(message):
        if c == "{" and depth == 0 or c == "}" and depth == 1:
            cut = i if c == "{" else i + 1
            parts.append(message[start:cut])
            start = cut
        depth += (c == "{") - (c == "}")
    return [p for p in parts + [message[start:]] if p]


def branches(block):
    """The texts of an argument that goes by number."""
    return [b[1:-1] for b in blocks_of(block[1:-1].split(",", 2)[2]) if b.startswith("{")]


def captured(message):
    """The message as a pattern that keeps its arguments; none has a sentence's end and another's beginning in it."""
    made = ""
    for part in blocks_of(message):
        if not part.startswith("{"):
            made += re.escape(squeeze(part))
        elif ", plural," in part:
            name = part[1:].split(",")[0]
            made += "(?P<%s>\\d[\\d.,]*)(?:%s)" % (name, "|".join(re.escape(squeeze(b).lstrip("#")) for b in branches(part)))
        else:
            made += "(?P<%s>.+?)" % part[1:].strip("}").split(",")[0]
    return made


class Foot:
    """What stands under a chart, read from its end: sentences by key, with their values; `rest` is what stands above."""

    def __init__(self, text, messages):
        self.rest, self.found = text, {}
        while self.take(messages):
            pass

    def take(self, messages):
        for key in PLAIN + LOOKS + VALUED:
            if key in self.found:
                continue
            pattern = captured(messages[key])
            m = re.search("(?:" + pattern + r")\.?$", self.rest)
            # the nearest beginning: a value reaches no further than it must
            while m and key in VALUED and not pattern.startswith("(?P"):
                nearer = re.compile("(?:" + pattern + r")\.?$").search(self.rest, m.start() + 1)
                if not nearer:
                    break
                m = nearer
            if m:
                self.found[key] = m.groupdict()
                self.rest = self.rest[:m.start()]
                return True
        return False


def dates_of(study_dir):
    with open(os.path.join(study_dir, "study.yaml"), encoding="utf-8") as f:
        text = f.read()
    field = re.search(r"^field: *{(.*?)}", text, re.M)
    return text, dict(re.findall(r"(from|to): *(\d{4}-\d\d-\d\d)", field.group(1))) if field else {}


def is_date(text, date):
    """Day and year in figures; the month in figures too, or in a word of the language."""
    y, m, d = date.split("-")
    figures = sorted(re.findall(r"\d+", text), key=len)
    return figures in ([str(int(d)), y], sorted([str(int(d)), str(int(m)), y], key=len), sorted([d, m, y], key=len))


def first_answers(run, lang):
    """Of every question with answers to choose from its label and that of the first: what a model compares with."""
    rows, found, of = read_csv(os.path.join(run, "data/codebook.csv")), {}, {}
    for r in rows:
        of.setdefault(r["variable"], []).append(r)
    for lines in of.values():
        choice = next((r for r in lines if r["code"] and r["missing"] != "yes"), None)
        if choice:
            found[squeeze(lines[0]["label_" + lang])] = squeeze(choice["label_" + lang])
    return found


def split_by(text, known):
    """The text as a list of known words with one or two signs between; None if it is not."""
    for word in sorted(known, key=len, reverse=True):
        if text == word:
            return [word]
        if text.startswith(word) and text[len(word):len(word) + 1] in (";", ","):
            rest = split_by(text[len(word) + 1:], known)
            if rest:
                return [word] + rest
    return None


def picture(rows, digits, lang):
    """A value as a chart writes it: rows are all that it shows."""
    largest = max(abs(number_of(r, "estimate")) for r in rows if r["estimate"])
    return lambda r: (write(number_of(r, "estimate"), 0, lang, percent=True) if is_share(r["statistic"]) else
                      write(number_of(r, "estimate") * 100, 0, lang, sign=True) if r["statistic"] == "net" else
                      write(number_of(r, "estimate"), 0 if largest >= 1000 else 1 if largest >= 10 else digits, lang))


class Notes:
    """What the notes of one chart must say, worked out from the run."""

    def __init__(self, name, kind, svg, foot, run, study):
        self.name, self.kind, self.svg, self.foot, self.run, self.study = name, kind, svg, foot, run, study
        self.lang = name.rsplit("-", 1)[1]
        self.messages = study["messages"][self.lang]
        self.labels = study["labels"][self.lang]
        self.rows = study["tables"].get(name.rsplit("-", 2)[0].split(".")[0], [])
        self.domain = own_domain(name, study)

    def must(self, key, holds):
        """A sentence stands there if and only if it should, and says what it should."""
        if bool(holds) != (key in self.foot.found):
            fault(self.name, "%s the note %s" % ("lacks" if holds else "should not have", key))
            return False
        return bool(holds)

    def equal(self, key, value, want):
        said = self.foot.found[key][value]
        if said != squeeze(want):
            fault(self.name, "says %s in %s, should say %s" % (said, key, want))

    def hold_upset(self):
        sets = [r for r in self.rows if r["statistic"] == "combination" and r["domain"] == self.domain]
        choices = [r for r in self.rows if r["statistic"] == "proportion" and r["domain"] == self.domain]
        shown = self.svg.count("<circle") // len(choices)
        more = sum(r["level"] != "*" for r in sets) - shown
        self.must("upset_note", True)
        if self.must("upset_more", more > 0):
            self.equal("upset_more", "n", write(more, 0, self.lang))
        others = next((r for r in sets if r["level"] == "*" and known(r)), None)
        if self.must("upset_others", others):
            self.equal("upset_others", "value", write(number_of(others, "estimate"), 0, self.lang, percent=True))

    def hold_tiles(self):
        """The average stands in the last line of the picture."""
        with open("reports/tiles.yaml", encoding="utf-8") as f:
            places = set(re.findall(r'^"?(\w+)"?: "\d+ \d+"', f.read(), re.M))
        shown = [r for r in self.rows if r["domain"].count("=") < 2 and r["statistic"] != "difference" and known(r)
                 and r["term"] == self.foot.found["code_note"]["codes"]]
        say = picture(shown, 2, self.lang)
        pooled = [r for r in shown if not r["domain"]]
        may = {squeeze(self.messages["alt_pooled"].replace("{label}", self.messages[k]).replace("{value}", say(r)))
               for k in EVERYBODY for r in pooled}
        if pooled and not any(self.foot.rest.endswith(m) for m in may):
            fault(self.name, "should end on %s" % " or ".join(sorted(may)))
        away = [r for r in shown if r["domain"] and r["domain"].split("=")[1] not in places]
        if self.must("tiles_others", away):
            want = sorted(squeeze(self.labels[r["domain"].split("=")[1]] + say(r)) for r in away)
            if sorted(self.foot.found["tiles_others"]["list"].split(";")) != want:
                fault(self.name, "names other countries beside the map than " + "; ".join(want))

    def hold_quadrant(self):
        shares = {r["term"]: r for r in self.rows if r["statistic"] == "explained_share" and not r["domain"]}
        nets = {r["term"]: r for r in self.rows if r["statistic"] == "net" and r["domain"] == self.domain}
        slopes = {r["term"]: r for r in self.rows if r["statistic"] == "coefficient" and not r["domain"]}
        shown = [t for t in shares if known(shares[t]) and known(nets.get(t))]
        against = [t for t in shown if t in slopes and known(slopes[t]) and number_of(slopes[t], "estimate") < 0]
        self.must("quadrant_note_country", self.domain)
        found = self.foot.found.get("quadrant_negative", {"factors": ""})["factors"]
        names = split_by(found, {squeeze(self.labels[t]) for t in against}) if found else []
        if names is None:
            fault(self.name, "says of factors that more of them goes with a lower outcome, against the results: " + found)

    def hold_forest(self):
        """Predictors that are compared with the first answer; pooled sizes with their ranges."""
        answers = first_answers(self.run, self.lang)
        pair = self.messages["term_category"]
        known_pairs = {squeeze(pair.replace("{variable}", v).replace("{category}", c)) for v, c in answers.items()}
        said = self.foot.found.get("reference_note", {}).get("categories")
        if said and not split_by(said, known_pairs):
            fault(self.name, "compares with what is no first answer: " + said)
        ranges = any(r["statistic"] == "verdict" and r["lower"] and r["upper"] and known(r) for r in self.rows)
        drivers = any(r["statistic"] == "coefficient_std" for r in self.rows)
        self.must("forest_further", ranges and drivers)

    def hold(self, text, dates, content):
        made = getattr(self, "hold_" + self.kind, None)
        if made:
            made()
        found = self.foot.found
        if "source" not in found or squeeze(found["source"]["study"]) not in squeeze(text):
            fault(self.name, "names another study, or none, as its source")
        if self.must("period", dates):
            for end, date in dates.items():
                if not is_date(found["period"][end], date):
                    fault(self.name, "was in the field until or from another day than " + date)
        if self.must("content_id", True):
            self.equal("content_id", "id", content)
        unknown = [v for v in found.get("code_note", {"codes": ""})["codes"].split(",") if v and v not in self.labels]
        if unknown:
            fault(self.name, "has items that the codebook does not: " + ",".join(unknown))
        hidden = [k for k in PLAIN if squeeze(self.messages[k]) in self.foot.rest]
        if hidden:
            fault(self.name, "has notes that are not read: " + ",".join(hidden))


def kind_of(svg, messages):
    said = re.search(r"<desc[^>]*>([^<]*)</desc>", svg)
    said = html.unescape(said.group(1)) if said else ""
    heads = {k: [messages[m].split("{")[0] for m in ("alt_" + k, "alt_" + k + "_places") if m in messages] for k in KINDS}
    return next((k for k in KINDS if said.startswith(tuple(heads[k]))), None)


def hold_notes(run, study_dir, study):
    """Every number and name in the notes under every chart. Number of sentences."""
    text, dates = dates_of(study_dir)
    with open(os.path.join(run, "manifest.json"), encoding="utf-8") as f:
        content = json.load(f)["content_id"]
    held = 0
    for path in sorted(glob.glob(os.path.join(run, "charts/*.pdf"))):
        name = os.path.basename(path)[:-4]
        lang = name.rsplit("-", 1)[1]
        messages = study["messages"].setdefault(lang, messages_of(lang))
        study["labels"].setdefault(lang, labels_of(run, lang))
        with open(path[:-3] + "svg", encoding="utf-8") as f:
            svg = f.read()
        kind = kind_of(svg, messages)
        if kind is None:
            fault(name, "does not say in its text alternative what kind of chart it is")
            continue
        drawn = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True).stdout.decode()
        foot = Foot(squeeze(drawn), messages)
        Notes(name, kind, svg, foot, run, study).hold(text, dates, content)
        held += len(foot.found)
    return held


# ---- everything -----------------------------------------------------------------------------------------------------


def messages_of(lang):
    with open("reports/texts/%s.yaml" % lang, encoding="utf-8") as f:
        found = (re.match(r'([\w.]+): (".*")$', line.rstrip()) for line in f)
        return {m.group(1): json.loads(m.group(2)) for m in found if m}


def labels_of(run, lang):
    found = {}
    for r in read_csv(os.path.join(run, "data/codebook.csv")):
        name = r["code"] or r["variable"]
        found.setdefault(name, r.get("label_" + lang) or name)
    return found


def country_variable(study):
    with open(os.path.join(study, "study.yaml"), encoding="utf-8") as f:
        found = re.search(r"^\s+country:\s*(\w+)", f.read().split("\nroles:")[-1], re.M)
    return found.group(1) if found else "country"


def spoil(rows, key):
    """The row's numbers go elsewhere: another estimate, an interval that says nothing, a test that finds nothing."""
    for r in rows:
        if ",".join(key_of(r)) == key:
            r["estimate"] = repr(float(r["estimate"]) * 1.25 + 0.07)
            r["lower"], r["upper"], r["p"], r["p_adj"] = "-9", "9", "0.5", "0.5"
            return
    sys.exit("there is no row " + key)


def main(study_dir, run, options):
    rows = read_csv(os.path.join(run, "data/results.csv"))
    for o in options:
        if o.startswith("--spoil="):
            spoil(rows, o.split("=", 1)[1])
    results, tables = {key_of(r): r for r in rows}, {}
    for r in rows:
        tables.setdefault(r["analysis"], []).append(r)
    said = read_csv(os.path.join(run, "quality/sentences.csv"))
    values = {}
    for v in read_csv(os.path.join(run, "quality/sentence_values.csv")):
        values.setdefault((v["brief"], v["sentence"]), []).append(v)
    languages = sorted({s["language"] for s in said})
    study = {"country": country_variable(study_dir), "results": results, "tables": tables,
             "hidden": sum("suppressed" in r["flag"] for r in rows),
             "verdicts": [r for r in rows if r["statistic"] == "verdict"],
             "messages": {lang: messages_of(lang) for lang in languages},
             "labels": {lang: labels_of(run, lang) for lang in languages}}
    claims = sum(hold_sentence(s, values.get((s["brief"], s["sentence"]), []), study) for s in said)
    least = max([int(o.split("=")[1]) for o in options if o.startswith("--figures=")], default=0)
    briefs = sorted(glob.glob(os.path.join(run, "briefs/*.pdf")))
    for path in [] if "--no-pages" in options else briefs:
        own = [s for s in said if s["brief"] == os.path.basename(path)]
        lang = path.rsplit("-", 1)[1][:-4]
        title = next((v["printed"] for s in own for v in values.get((s["brief"], s["sentence"]), [])
                      if v["value"] == "study"), "")
        hold_apart(os.path.basename(path), own)
        hold_pages(path, own, study["messages"].get(lang, {}), title, least)
    n, titles, quadrants = sum(map(len, values.values())), hold_titles(run, study), hold_quadrants(run, study)
    print("%d briefs, %d sentences, %d values, %d claims worked out, %d in titles of charts, %d under quadrants" %
          (len(briefs), len(said), n, claims, titles, quadrants))
    least = max([int(o.split("=")[1]) for o in options if o.startswith("--titles=")], default=0)
    if titles < least:
        fault("trace", "fewer than %d titles of charts make a claim" % least)
    least = max([int(o.split("=")[1]) for o in options if o.startswith("--notes=")], default=0)
    if least:
        notes = hold_notes(run, study_dir, study)
        print("%d sentences under charts" % notes)
        if notes < least:
            fault("trace", "fewer than %d sentences under charts" % least)
    least = max([int(o.split("=")[1]) for o in options if o.startswith("--quadrants=")], default=0)
    if quadrants < least:
        fault("trace", "fewer than %d quadrants" % least)
    if not briefs or not said or not n or not claims:
        fault("trace", "nothing to hold")
    for f in faults:
        print(f)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
