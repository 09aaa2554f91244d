"""What can a reader who kept every file of every night compute of what is hidden? An attacker on whole publications, written
from the published files alone, with other software than hides.

    attack.py STUDY --truth RUN... --published RUN... [--show=ROW] [--files]

The runs are those of the same nights in their order: `published` as the study publishes, `truth` by the same program with rules
that hide next to nothing, without weights, so that its shares are counts. For each night of `published`:

  1. Every number in workbooks, charts and briefs is one of results.csv (tests/agree.py); here the same is held for the data of
     the explore page, for the sentences of pictures (title, description, alternative text, with numbers in words; in the PDFs
     too), for the quality page, the page of changes, the index and the methods annex; the explore page itself holds no number,
     codebook and data package no frequencies. So what readers can know is what the table shows.
  2. A linear program then bounds every hidden count: what is shown is taken as a count, levels add to their base, bases to
     the base of the whole, parts to their whole, means, standard deviations, net shares, top shares and pairs are sums over
     levels, choices of a set are sums over their combinations, and from one night to the next a count moves by no more than its
     base (or as it did). Every count hidden by the rules must stay open by `minimum_cell`, over all nights; every hidden one by
     that on its own night.

(Weighted shares are weaker than the counts that are granted here: any split of the hidden respondents is met by weights in
proportion to it.) --show takes a row (analysis,domain,term,level,statistic) for shown that is hidden, to see that it is noticed.
--files: the first part alone. Prints what was looked at; status 1 if a count is narrowed, or a number is nobody's, or there was nothing to attack.
"""
import csv, glob, importlib.util, json, os, re, subprocess, sys, tempfile, html

MINIMUM_BASE, MINIMUM_CELL = 10, 3
NUMBERS = ["estimate", "se", "df", "df1", "lower", "upper", "p", "p_adj", "n", "n_eff", "deff"]
WORDS = "zero one two three four five six seven eight nine ten eleven twelve single".split()
faults = []


def fault(where, what):
    faults.append("%s: %s" % (where, what))


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def read_text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


# ---- 1. nothing else is shown ---------------------------------------------------------------------------------------


def rounds(token, rows):
    """Is the number a rounding of one of these rows', as it is or in per cent?"""
    text = token.replace("−", "-").replace(",", "").rstrip("%")
    decimals = len(text.split(".")[1]) if "." in text else 0
    half = 0.5 * 10 ** -decimals * (1 + 1e-9) + 1e-12
    x = abs(float(text))
    for r in rows:
        for name in ("estimate", "lower", "upper", "n"):
            if r[name] and (abs(abs(float(r[name])) - x) <= half or abs(abs(100 * float(r[name])) - x) <= half):
                return True
    return False


def check_explore(run, tables):
    text = read_text(os.path.join(run, "explore-data.js"))
    data = json.loads(text[text.index("{"): text.rindex("}") + 1])
    seen = 0
    for topic in data["topics"]:
        known = {float("%.7g" % float(r[n])) for r in tables[topic["id"]] for n in NUMBERS if r[n]}
        shown = sum(1 for r in tables[topic["id"]] if r["estimate"])
        here = sum(1 for row in topic["rows"] if isinstance(row[6], float))
        if here > shown:
            fault("explore-data.js", "%s: %d numbers, the table has %d" % (topic["id"], here, shown))
        for row in topic["rows"]:
            for x in row[6:10]:
                seen += isinstance(x, float)
                if isinstance(x, float) and float("%.7g" % x) not in known:
                    fault("explore-data.js", "%s: no row has %r" % (topic["id"], x))
    for picture in data["pictures"]:
        if picture["lang"] == "en":
            seen += check_sentence("explore-data.js", picture["alt"], rows_drawn(tables, picture["id"].split(".")[0]))
    return seen


def rows_drawn(tables, analysis):
    """The analysis' own rows; bars of answers are sorted by net agreement, which has a table of its own."""
    own = tables[analysis]
    items = {(r["domain"], r["term"]) for r in own}
    return own + [r for rows in tables.values() for r in rows if r["statistic"] == "net" and (r["domain"], r["term"]) in items]


def check_sentence(where, sentence, rows):
    """Counts of rows and the level of intervals are no results."""
    sentence = re.sub(r"\b\d+ (?:rows?|groups?|levels?|answers?|columns?|countries|factors?|choices|combinations|tiles|items?|steps?|points?|bars?|dots?|sets?|ranks?)\b|95%",
                      " ", html.unescape(sentence))
    told = re.search(r"\b(%s) (?:of|respondents?|persons?|people|answers?)\b" % "|".join(WORDS), sentence, re.I)
    if told:
        fault(where, "a count in words: " + told.group(0))
    quoted = re.sub("“[^”]*”|\\([^)]*\\)", " ", sentence)  # labels of the study may hold numbers
    tokens = re.findall(r"(?<![\w.,])[−-]?\d[\d,]*(?:\.\d+)?%?(?![\w])", quoted)
    labels = {t for r in rows for t in re.findall(r"\d+", r["level"] + " " + r["domain"] + " " + r["term"])}
    for token in tokens:
        if token.rstrip("%") not in labels and not rounds(token, rows):
            fault(where, "no row rounds to %s in “%s”" % (token, sentence[:160]))
    return len(tokens)


def check_pictures(run, tables):
    seen = 0
    for path in sorted(glob.glob(os.path.join(run, "charts/*-en.svg"))):
        stem = os.path.basename(path).rsplit("-", 2)[0].split(".")[0]
        for text in re.findall(r"<(?:desc)[^>]*>([^<]*)<", read_text(path)[:65536]):
            seen += check_sentence(os.path.basename(path), text, rows_drawn(tables, stem))
    return seen


def check_quality(run, before, rows):
    """Cells of the page's English tables: numbers of results, of their differences to the night before, of the losses, of files."""
    page = read_text(os.path.join(run, "quality/quality.html"))
    page = page[page.index('id="en"'): page.index("</section>", page.index('id="en"'))]
    known = {float(r[n]) for r in rows for n in ("estimate", "n", "n_eff") if r[n]}
    lost = [float(x) for r in read_csv(os.path.join(run, "quality/disclosure.csv")) for k, x in r.items() if k not in ("country", "analysis") and x]
    own = [float(r["estimate"]) for r in rows if r["analysis"] in ("response", "cleaning") and r["estimate"]]
    old = [float(r["estimate"]) for r in before if r["analysis"] in ("response", "cleaning") and r["estimate"]]
    known |= set(lost) | {x - y for x in own for y in old} | set(own)
    known |= {1 - float(r["n"]) / own[1] for r in rows if r["n"]} | {float(len(rows))}
    known |= {x / y for x in own for y in own if y}
    flags = {}
    for r in rows:
        for f in filter(None, r["flag"].split(";")):
            flags[f] = flags.get(f, 0) + 1
    known |= {float(x) for x in flags.values()}
    files = {t for row in re.findall(r"<th[^>]*>[^<]*\.(?:csv|xlsx|txt|sav)</th>(.*?)</tr>", page, re.S) for t in re.findall(r"[\d,]+", row)}
    values, seen = sorted(known), 0
    for cell in re.findall(r"<td[^>]*>([^<]*)</td>", page):
        if not re.fullmatch(r"[+−-]?[\d,]+(?:\.\d+)?%?", cell) or cell in files:
            continue
        text = cell.replace("−", "-").replace(",", "").rstrip("%").lstrip("+")
        half = 0.5 * 10 ** -(len(text.split(".")[1]) if "." in text else 0) * (1 + 1e-9) + 1e-12
        scale = 100 if cell.endswith("%") else 1
        seen += 1
        if not any(abs(scale * v - float(text)) <= half for v in values):
            fault("quality.html", "nothing published rounds to " + cell)
    return seen


NUMBER = r"(?<![\w.,])[+−-]?\d[\d,]*(?:\.\d+)?%?(?![\w])"


def is_one_of(token, values):
    """Is the number a rounding of one of these, as it is or in per cent?"""
    text = token.replace("−", "-").replace(",", "").rstrip("%").lstrip("+")
    half = 0.5 * 10 ** -(len(text.split(".")[1]) if "." in text else 0) * (1 + 1e-9) + 1e-12
    scale = 100 if token.endswith("%") else 1
    return any(abs(scale * v - float(text)) <= half for v in values)


def own_count(rows, name, domain=""):
    return [float(r["estimate"]) for r in rows if (r["analysis"], r["term"], r["domain"]) == ("response", name, domain) and r["estimate"]]


def english(run, name):
    page = read_text(os.path.join(run, name))
    return page[page.index('<section class="language" id="en"'): page.index("</section>", page.index('id="en"'))]


def cells_of(page):
    """Rows of the page's tables: caption, cells."""
    for caption, table in re.findall(r"<caption>(.*?)</caption>(.*?)</table>", page, re.S):
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.S):
            cells = [re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)]
            if not re.search(r'<th scope="col"', row):
                yield html.unescape(re.sub(r"<[^>]+>", "", caption)), cells


def check_changes(run, before, rows):
    """Before and now stand in their tables; of what is hidden in one of them there is no difference. Counts are of rows."""
    page, seen = english(run, "changes.html"), 0
    people = {n: own_count(rows, n) + own_count(before, n) for n in ("kept", "set_aside")}
    if not before:
        if re.findall(NUMBER, re.sub(r"<[^>]+>|\bid=\S+", " ", page[page.index("<h1>"):])):
            fault("changes.html", "the first publication has nothing to compare with")
        return 1
    shown = [{float(r[n]) for r in x for n in ("estimate", "n", "n_eff") if r[n]} for x in (before, rows)]
    for caption, cells in cells_of(page):
        numbers = [c for c in cells[1:] if re.fullmatch(NUMBER, c)]
        seen += len(numbers)
        if caption.startswith("Respondents"):
            country = [float(r["estimate"]) for r in before + rows if r["analysis"] == "response" and r["estimate"]]
            known = set(country) | {x - y for x in country for y in country}
            wrong = [c for c in numbers if not is_one_of(c, known)]
        elif caption.startswith("By country"):
            wrong = [c for c in numbers if float(c.replace(",", "")) > len(rows)]
        else:
            wrong = [c for c, at in zip(cells[1:], (0, 1)) if re.fullmatch(NUMBER, c) and not is_one_of(c, shown[at])]
            if any("[c]" in c for c in cells[1:3]) and any(re.search(NUMBER, c) for c in cells[3:]):
                wrong.append("a difference to a hidden figure: " + cells[0])
        for c in wrong:
            fault("changes.html", "%s: nothing published is %s (%s)" % (caption, c, cells[0][:80]))
    told = re.search(r"([\d,]+) respondents were counted before, ([\d,]+) are now", page)
    if not told or not all(is_one_of(x, people["kept"]) for x in told.groups()):
        fault("changes.html", "respondents are not those of the table")
    return seen


def check_index(run, before, rows):
    """Respondents, sizes of files, hashes, numbers of changed rows, and no other number."""
    page = english(run, "index.html")
    text = re.sub(r"<[^>]+>", " ", html.unescape(page))
    text = re.sub(r"SHA-256 [0-9a-f]+|\([^()]*\d (?:[kM]?B|bytes)\)|\d+ \w+ \d{4}\b|·[^·]*?\d+ kB\)", " ", text)
    people = own_count(rows, "kept") + own_count(before, "kept")
    seen = 0
    for sentence in re.split(r"(?<=[.!?])\s|\n", text):
        for token in re.findall(NUMBER, sentence):
            seen += 1
            of_rows = re.search(r"\b(figures?|estimates?|files?|languages?|sheets?|rows?|charts?)\b", sentence)
            if not (is_one_of(token, people) if re.search("respondents", sentence) else of_rows and float(token.replace(",", "")) <= len(rows)):
                fault("index.html", "nobody's number: %s in “%s”" % (token, sentence.strip()[:120]))
    return seen


def check_empty_explore(run):
    """Numbers come with the data alone (checked above)."""
    page = read_text(os.path.join(run, "explore.html"))
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page[page.index("<body"):], flags=re.S)
    for token in re.findall(NUMBER, html.unescape(text)):
        fault("explore.html", "holds a number: " + token)
    return len(text) > 100


def check_annex(run, rows, study):
    """Files, countries, weights and missing answers by the table's own counts; who is counted as heavy is not a few."""
    text = subprocess.run(["pdftotext", "-layout", os.path.join(run, "methods/methods-en.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    kept, seen = own_count(rows, "kept")[0], 0
    words = {re.sub(r"\s+", " ", r["label::en"]).strip(): r["name"] for r in read_csv(os.path.join(study, "survey.csv")) if r.get("label::en")}
    bases = {}
    for r in rows:
        if r["n"] and not r["domain"]:
            bases.setdefault(r["term"], set()).add(float(r["n"]))
    for label, valid, share in re.findall(r"^(\S.*?) {2,}([\d,]+) {2,}([\d.]+%)$", text, re.M):
        if label not in words:
            continue
        n = float(valid.replace(",", ""))
        seen += 2
        if n not in bases.get(words[label], set()) or not is_one_of(share, [1 - n / kept]):
            fault("methods annex", "%s: no row rests on %s, %s" % (label, valid, share))
    for heavy in re.findall(r"([\d,]+) above [\d.]+ × mean", text):
        seen += 1
        if float(heavy.replace(",", "")) < MINIMUM_CELL:
            fault("methods annex", "%s respondents have a large weight" % heavy)
    weights = [float(r[n]) for r in rows if r["analysis"] == "weights" for n in ("estimate", "n") if r[n]]
    for row in re.findall(r"^\w[\w ]*? {2,}(\d+) {2,}([\d.]+) {2,}(\d+) {2,}\[c\] {2,}([\d.]+%)", text, re.M):
        seen += 4
        for token in row:
            if not is_one_of(token, weights + [kept]):
                fault("methods annex", "weights: no row has " + token)
    own = [float(r["estimate"]) for r in rows if r["analysis"] == "response" and r["estimate"]]
    for row in re.findall(r"^[A-Z]\w+(?: \w+)* {2,}([\d,]+) {2,}([\d,]+) {2,}([\d,]+)$", text[text.index("Rows by country"): text.index("Cleaning  ")], re.M):
        seen += 3
        for token in row:
            if not is_one_of(token, own):
                fault("methods annex", "rows by country: no row has " + token)
    return seen


def check_tagged(run, tables):
    """Alternative texts of the PDFs' figures, by the rows of their analysis."""
    data = read_text(os.path.join(run, "explore-data.js"))
    titles = {p["title"]: p["id"].split(".")[0] for p in json.loads(data[data.index("{"): data.rindex("}") + 1])["pictures"] if p["lang"] == "en"}
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("matterhorn", os.path.join(os.path.dirname(os.path.abspath(__file__)), "matterhorn.py"))
    tags, seen = importlib.util.module_from_spec(spec), 0
    spec.loader.exec_module(tags)
    for path in sorted(glob.glob(os.path.join(run, "*/*.pdf"))):
        for element, _ in tags.Pdf(path).elements():
            if "/Alt" not in element:
                continue
            sentence = tags.text(element["/Alt"])
            rows = [r for title, a in titles.items() if sentence.startswith(title) for r in rows_drawn(tables, a)]
            seen += 1 + check_sentence(os.path.basename(path), sentence, rows)
    return seen


def check_open_data(run):
    for name in ("codebook.xml", "codebook.csv", "datapackage.json"):
        text = read_text(os.path.join(run, "data", name))
        if re.search(r"<(catStat|sumStat)\b|\bfrequency\b|\bfreq\b", text):
            fault(name, "holds frequencies")
    return 3


# ---- 2. linear programs ---------------------------------------------------------------------------------------------


def domain_of(text):
    return frozenset(filter(None, text.split(";")))


class Night:
    """Counts as they are, and which of them are shown. A cell: (domain, item, kind, level); kind: answer, missing, set."""

    KINDS = {"proportion": "answer", "count": "answer", "proportion_missing": "missing", "combination": "set"}

    def __init__(self, truth, published, tables):
        self.count, self.base, self.shown, self.base_shown, self.pairs, self.indices = {}, {}, set(), set(), set(), set()
        for r in truth:
            kind = self.KINDS.get(r["statistic"])
            if kind and r["analysis"] in tables and r["estimate"] and r["n"]:
                cell = (domain_of(r["domain"]), r["term"], kind, r["level"])
                share = float(r["estimate"]) * (1 if r["statistic"] == "count" else float(r["n"]))
                self.count[cell] = round(share)
                assert abs(share - self.count[cell]) < 1e-6, r
                self.base[cell[:3]] = round(float(r["n"]))
        for r in published:
            if r["analysis"] not in tables or not r["estimate"]:
                continue
            place = (domain_of(r["domain"]), r["term"])
            kind = self.KINDS.get(r["statistic"])
            if kind:
                self.shown.add(place + (kind, r["level"]))
            if r["statistic"] == "proportion_collapsed":
                self.pairs.add(place + (r["level"],))
            if r["statistic"] in ("mean", "sd", "net", "top2"):
                self.indices.add(place + (r["statistic"],))
            if r["n"] and (kind or r["statistic"] != "mean_rank"):
                self.base_shown.add(place + (kind or "answer",))
        self.levels = {}
        for cell in self.count:
            self.levels.setdefault(cell[:3], []).append(cell[3])
        self.leave_out_other_sets(published, tables)

    def leave_out_other_sets(self, published, tables):
        """Which combinations have a row of their own goes by weighted shares: where they are others, the truth is not known."""
        listed = {}
        for r in published:
            if r["statistic"] == "combination" and r["analysis"] in tables:
                listed.setdefault((domain_of(r["domain"]), r["term"], "set"), set()).add(r["level"])
        for place in [p for p in self.levels if p[2] == "set" and set(self.levels[p]) != listed.get(p)]:
            for level in self.levels.pop(place):
                del self.count[place + (level,)]

    def by_rule(self, cell):
        n, x = self.base[cell[:3]], self.count[cell]
        return n < MINIMUM_BASE or 0 < x < MINIMUM_CELL or (n < 3 * MINIMUM_BASE and x in (0, n) and cell[2] != "missing")


class System:
    """Unknowns by name with their ends, and equations over them."""

    def __init__(self):
        self.column, self.ends, self.rows = {}, [], []

    def unknown(self, name, low, high):
        if name not in self.column:
            self.column[name] = len(self.ends)
            self.ends.append([low, high])
        return self.column[name]

    def equation(self, terms, low, high):
        """terms: [(coefficient, column or a number)]"""
        const = sum(c * x[1] for c, x in terms if isinstance(x, tuple))
        left = [(c, x) for c, x in terms if not isinstance(x, tuple)]
        if left:
            self.rows.append((left, low - const, high - const))

    def text(self, column, direction):
        def line(terms):
            return " ".join("%+.12g x%d" % t for t in terms)

        out = ["Minimize" if direction < 0 else "Maximize", " o: x%d" % column, "Subject To"]
        for k, (terms, low, high) in enumerate(self.rows):
            if high - low < 1e-9:
                out.append(" r%d: %s = %.12g" % (k, line(terms), low))
            else:
                out.append(" a%d: %s >= %.12g" % (k, line(terms), low))
                out.append(" b%d: %s <= %.12g" % (k, line(terms), high))
        out.append("Bounds")
        out += [" %.12g <= x%d <= %.12g" % (low, k, high) for k, (low, high) in enumerate(self.ends)]
        return "\n".join(out + ["End", ""])

    def bound(self, column, direction, folder):
        problem, answer = os.path.join(folder, "p.lp"), os.path.join(folder, "p.sol")
        with open(problem, "w", encoding="utf-8") as f:
            f.write(self.text(column, direction))
        subprocess.run(["glpsol", "--lp", problem, "-w", answer], stdout=subprocess.DEVNULL, check=True)
        status = re.search(r"^s bas \d+ \d+ (\w) (\w) (\S+)", read_text(answer), re.M)
        assert status and status.group(1) == status.group(2) == "f", "the true counts must solve the system: " + read_text(answer)[:200]
        return float(status.group(3))


def add_night(s, night, t, item, values):
    """The night's unknowns and what is known of them. A number is ("known", x)."""

    def base(place):
        true = night.base[place]
        return ("known", true) if place in night.base_shown else s.unknown((t, "base", place), 0, 10 * true + 100)

    def cell(c):
        return ("known", night.count[c]) if c in night.shown else s.unknown((t, c), 0, night.base[c[:3]] if c[:3] in night.base_shown else 1e5)

    places = [p for p in night.levels if p[1] == item]
    for p in places:
        cells = [p + (level,) for level in night.levels[p]]
        if p[2] == "answer" and sum(night.count[c] for c in cells) == night.base[p]:
            s.equation([(1, cell(c)) for c in cells] + [(-1, base(p))], 0, 0)
        if p[2] == "set":
            s.equation([(1, cell(c)) for c in cells] + [(-1, base(p))], 0, 0)
            add_choices(s, night, p, cell)
        if p[2] == "missing":
            valid = (p[0], item, "answer")
            if valid in night.base and night.base[valid] + sum(night.count[c] for c in cells) == night.base[p]:
                s.equation([(1, cell(c)) for c in cells] + [(1, base(valid)), (-1, base(p))], 0, 0)
        for c in cells:
            s.equation([(1, base(p)), (-1, cell(c))], 0, 1e6)
        add_parts(s, night, p, places, cell, base)
        add_indices(s, night, p, cell, values)


def add_choices(s, night, p, cell):
    """A choice is the sum of its combinations and of a rest among those that have no level of their own (`*`)."""
    others = p + ("*",)
    for choice in night.levels.get((p[0], p[1], "answer"), []):
        c = (p[0], p[1], "answer", choice)
        rest = [(1, cell(c))] + [(-1, cell(p + (level,))) for level in night.levels[p] if choice in level.split(" ")]
        s.equation(rest, 0, 1e6 if others in night.count else 0)
        if others in night.count:
            s.equation(rest + [(-1, cell(others))], -1e6, 0)


def add_parts(s, night, whole, places, cell, base):
    further = {}
    for q in places:
        more = q[0] - whole[0]
        if q[2] == whole[2] and whole[0] < q[0] and len(more) == 1:
            further.setdefault(next(iter(more)).split("=")[0], []).append(q)
    for parts in further.values():
        if sum(night.base[q] for q in parts) == night.base[whole]:
            s.equation([(1, base(q)) for q in parts] + [(-1, base(whole))], 0, 0)
        for level in night.levels[whole]:
            of = [q + (level,) for q in parts if q + (level,) in night.count]
            if sum(night.count[c] for c in of) == night.count[whole + (level,)]:
                s.equation([(1, cell(c)) for c in of] + [(-1, cell(whole + (level,)))], 0, 0)


def add_indices(s, night, p, cell, values):
    if p[2] != "answer":
        return
    levels = night.levels[p]
    known = lambda weights: s.equation([(w, cell(p + (l,))) for l, w in weights], *[sum(w * night.count[p + (l,)] for l, w in weights)] * 2)
    for pair in (x[2].split(" ") for x in night.pairs if x[:2] == p[:2]):
        known([(l, 1) for l in pair if p + (l,) in night.count])
    order = [l for l in values if l in levels]
    if len(order) != len(levels) or not all(isinstance(values[l], float) for l in order):
        return
    for statistic in (x[2] for x in night.indices if x[:2] == p[:2]):
        half = len(order) // 2
        if statistic in ("mean", "sd"):
            known([(l, values[l]) for l in order])
        if statistic == "sd":
            known([(l, values[l] ** 2) for l in order])
        if statistic == "net" and len(order) == 5:
            known([(l, -1) for l in order[:half]] + [(l, 1) for l in order[-half:]])
        if statistic == "top2":
            known([(l, 1) for l in order[-2:]])


def add_growth(s, nights, t, item):
    """From the night before: as many more as came, as many less as left, or as it was."""
    for c in nights[t].count:
        if c[1] != item or c not in nights[t - 1].count:
            continue
        ends = [(1, x) for x in (s.column.get((t, c)), s.column.get((t - 1, c))) if x is not None]
        if not ends:
            continue
        side = lambda u: s.column[(u, c)] if (u, c) in s.column else ("known", nights[u].count[c])
        moved, came = nights[t].count[c] - nights[t - 1].count[c], nights[t].base[c[:3]] - nights[t - 1].base[c[:3]]
        s.equation([(1, side(t)), (-1, side(t - 1))], min(0, came, moved), max(0, came, moved))


def attack(nights, over, item, values, folder, all_hidden):
    s = System()
    for t in over:
        add_night(s, nights[t], t, item, values)
    for t in over[1:]:
        add_growth(s, nights, t, item)
    asked = 0
    for (name, column) in list(s.column.items()):
        if len(name) != 2 or nights[name[0]].base[name[1][:3]] == 0:
            continue
        night, c = nights[name[0]], name[1]
        if not all_hidden and not night.by_rule(c):
            continue
        asked += 1
        need = min(MINIMUM_CELL, night.base[c[:3]]) - 1e-6
        low = s.bound(column, -1, folder)
        high = s.bound(column, 1, folder)
        if high - low < need:
            fault("night %d" % (name[0] + 1), "%s %s %s %s is %d of %d: between %g and %g"
                  % (";".join(sorted(c[0])), c[1], c[2], c[3], night.count[c], night.base[c[:3]], low, high))
    return asked


def values_of(study):
    """Numbers of the answers of each list, in their order, by item."""
    lists = {}
    for r in read_csv(os.path.join(study, "choices.csv")):
        if (r.get("missing") or "") != "yes":
            of = lists.setdefault(r["list_name"], {})
            of[r["name"]] = float(r["value"]) if r.get("value") else float(len(of) + 1)
    return {r["name"]: lists.get(r["type"].split(" ")[1], {}) for r in read_csv(os.path.join(study, "survey.csv")) if " " in r["type"]}


def show(rows, truth, key):
    """As if the row had not been hidden."""
    name = lambda r: ",".join(r[c] for c in ("analysis", "domain", "term", "level", "statistic"))
    of = {name(r): r for r in truth}
    for r in rows:
        if name(r) == key:
            r.update(of[key])


def main(study, truth_runs, published_runs, shown, files_alone):
    before, nights = [], []
    seen = {}
    for truth, run in zip(truth_runs, published_runs):
        rows = read_csv(os.path.join(run, "data/results.csv"))
        tables = {}
        for r in rows:
            tables.setdefault(r["analysis"], []).append(r)
        for name, n in (("explore page", check_explore(run, tables)), ("explore page without data", check_empty_explore(run)),
                        ("sentences of pictures", check_pictures(run, tables)), ("alternative texts in PDFs", check_tagged(run, tables)),
                        ("quality page", check_quality(run, before, rows)), ("page of changes", check_changes(run, before, rows)),
                        ("index", check_index(run, before, rows)), ("methods annex", check_annex(run, rows, study)),
                        ("open data", check_open_data(run))):
            seen[name] = seen.get(name, 0) + n
        statistics = {a: {r["statistic"] for r in x} for a, x in tables.items()}
        of_people = {a for a, x in statistics.items() if x & (set(Night.KINDS) | {"mean", "net"}) and a not in ("response", "cleaning", "weights")
                     and not x & {"coefficient", "groups", "loading"}}
        true = read_csv(os.path.join(truth, "data/results.csv"))
        show(rows, true, shown)
        nights.append(Night(true, rows, of_people))
        before = rows
    values = values_of(study)
    items = [] if files_alone else sorted({c[1] for night in nights for c in night.count if c not in night.shown})
    with tempfile.TemporaryDirectory() as folder:
        for item in items:
            for t in range(len(nights)):
                seen["hidden on its night"] = seen.get("hidden on its night", 0) + attack(nights, [t], item, values.get(item, {}), folder, True)
            if len(nights) > 1:
                seen["hidden by rule, over all nights"] = seen.get("hidden by rule, over all nights", 0) + attack(
                    nights, list(range(len(nights))), item, values.get(item, {}), folder, False)
    for name, n in seen.items():
        print("%s: %d looked at" % (name, n))
        if not n:
            fault(name, "nothing to look at")
    for f in faults:
        print(f)
    return 1 if faults else 0


if __name__ == "__main__":
    shown = [x.split("=", 1)[1] for x in sys.argv if x.startswith("--show=")]
    argv = [x for x in sys.argv if not x.startswith("--show=") and x != "--files"]
    at, to = argv.index("--truth"), argv.index("--published")
    sys.exit(main(argv[1], argv[at + 1: to], argv[to + 1:], shown[0] if shown else "", "--files" in sys.argv))
