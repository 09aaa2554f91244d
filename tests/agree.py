"""Do all parts of a publication say the same? Reads a run's folder with other software than made it and compares

    data/results.sqlite   every column of every row
    tables/*.xlsx         every number of every table, to the sixteen digits that a workbook holds
    charts/*-en.pdf       every number that is drawn, but for those along an axis
    briefs/*-en.pdf, -de  every number of a finding, with the table and the figure that the finding names

with data/results.csv. A number that is printed rounded must be the rounding of a number of the very analysis, for
the very group where a group is named by the file. Usage: agree.py STUDY RUN [PART...] [--spoil=ROW]; prints what disagrees,
and how much was compared; status 1 if anything disagrees, or if there was nothing to compare. --spoil takes the numbers of
one row (analysis,domain,term,level,statistic) for others, to see that it is noticed.
"""
import csv, glob, html, math, os, re, sqlite3, subprocess, sys, zipfile

NUMBERS = ["estimate", "se", "df", "df1", "lower", "upper", "p", "p_adj", "n", "n_eff", "deff"]
TOKEN = {
    "en": re.compile(r"(?<![\w.,])[−+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?(?![\w])|(?<![\w.,])[−+-]?\d+(?:\.\d+)?%?(?![\w])"),
    "de": re.compile(r"(?<![\w.,])[−+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?(?:\s?%)?(?![\w])|(?<![\w.,])[−+-]?\d+(?:,\d+)?(?:\s?%)?(?![\w])"),
}
TICK_HEIGHT = 11  # points: numbers along an axis are smaller than values
faults = []


def fault(where, what):
    faults.append("%s: %s" % (where, what))


def read_rows(run):
    with open(os.path.join(run, "data/results.csv"), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def by_analysis(rows):
    found = {}
    for r in rows:
        found.setdefault(r["analysis"], []).append(r)
    return found


def compare_sqlite(run, rows):
    base = sqlite3.connect("file:%s?mode=ro" % os.path.join(run, "data/results.sqlite"), uri=True)
    base.row_factory = sqlite3.Row
    stored = base.execute("select * from results order by rowid").fetchall()
    if len(stored) != len(rows):
        fault("results.sqlite", "%d rows, not %d" % (len(stored), len(rows)))
    for k, (s, r) in enumerate(zip(stored, rows)):
        for name in r:
            have = s[name]
            want = (float(r[name]) if r[name] else None) if name in NUMBERS else r[name]
            if have != want and not (have is None and want == ""):
                fault("results.sqlite", "row %d, %s: %r, not %r" % (k + 1, name, have, want))
    return len(stored)


def sheets(book):
    names = re.findall(r'<sheet [^>]*name="([^"]*)"', book.read("xl/workbook.xml").decode())
    for k, name in enumerate(names):
        yield html.unescape(name), book.read("xl/worksheets/sheet%d.xml" % (k + 1)).decode()


def listed_analyses(book):
    """What the contents, the second sheet, say: the name of each table's sheet, and its analysis in the open data."""
    said = [html.unescape("".join(re.findall(r"<t[^>]*>([^<]*)</t>", text)))
            for text in re.findall(r"<si>(.*?)</si>", book.read("xl/sharedStrings.xml").decode(), re.S)]
    rows = {}
    for column, row, k in re.findall(r'<c r="([A-Z]+)(\d+)"[^>]* t="s"[^>]*><v>(\d+)</v>', list(sheets(book))[1][1]):
        rows.setdefault(int(row), {})[column] = said[int(k)]
    return {r["A"]: r["E"] for number, r in rows.items() if number > 2}


def check_names(where, names, listed):
    """Every sheet behind the leading ones is listed, and its name one that spreadsheets take."""
    if [n for n in names if re.match(r"\d\d", n)] != list(listed):
        fault(where, "the contents do not list the sheets of tables in their order")
    if len({n.casefold() for n in names}) < len(names):
        fault(where, "two sheets share a name")
    for n in names:
        if re.search(r"[\[\]:*?/\\']", n) or len(n.encode("utf-16-le")) > 2 * 31 or n != n.strip():
            fault(where, "no spreadsheet takes the name of sheet " + n)


def compare_workbooks(run, tables):
    compared = 0
    for path in sorted(glob.glob(os.path.join(run, "tables/*.xlsx"))):
        book = zipfile.ZipFile(path)
        listed = listed_analyses(book)
        check_names(os.path.basename(path), [name for name, _ in sheets(book)], listed)
        for name, xml in sheets(book):
            if name not in listed:
                continue
            if listed[name] not in tables:
                fault("%s, sheet %s" % (os.path.basename(path), name), "there is no analysis " + listed[name])
            known = {float("%.16g" % float(r[n])) for r in tables.get(listed[name], []) for n in NUMBERS if r[n]}
            for attributes, text in re.findall(r"<c ([^>]*)><v>([^<]*)</v>", xml):
                if "t=" in attributes:
                    continue
                compared += 1
                x = float(text)
                if x not in known and not any(abs(x - k) <= 6e-16 * abs(k) for k in known):
                    fault("%s, sheet %s" % (os.path.basename(path), name), "no row has " + text)
    return compared


def value(token, lang):
    """Number, half a unit of its last digit, per cent or not."""
    text = token.replace("−", "-").rstrip("%").strip()
    text = text.replace(".", "").replace(",", ".") if lang == "de" else text.replace(",", "")
    decimals = len(text.split(".")[1]) if "." in text else 0
    return float(text), 0.5 * 10 ** -decimals * (1 + 1e-9) + 1e-12, token.endswith("%")


def is_rounding(token, lang, rows, fields, signless=False):
    """signless: shares may stand without a sign, under a heading that has it."""
    x, half, percent = value(token, lang)
    for r in rows:
        for name in fields:
            if not r[name]:
                continue
            v = float(r[name])
            share = r["statistic"] in ("net", "difference", "choice_difference") or percent
            share |= signless and r["statistic"].startswith("proportion")
            if (not percent and abs(v - x) <= half) or (share and abs(100 * v - x) <= half):
                return True
            if percent and abs(abs(100 * v) - x) <= half and r["statistic"] in ("difference", "net"):
                return True
            if r["statistic"] == "difference" and abs(abs(v) - x) <= half:
                return True
    return False


def country_variable(study):
    with open(os.path.join(study, "study.yaml"), encoding="utf-8") as f:
        found = re.search(r"^\s+country:\s*(\w+)", f.read().split("\nroles:")[-1], re.M)
    return found.group(1) if found else "country"


def about(rows, variable, country, beside=False):
    """A country's edition: its own rows, those of everybody, and differences; `beside`: other countries as a whole too."""
    own = "%s=%s" % (variable, country)
    return [
        r
        for r in rows
        if not country
        or own in r["domain"].split(";")
        or variable + "=" not in r["domain"]
        or (beside and ";" not in r["domain"])
    ]


# ---- charts ---------------------------------------------------------------------------------------------------------


def words(path):
    text = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, check=True).stdout.decode()
    for x0, y0, x1, y1, word in re.findall(
        r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">([^<]*)</word>', text
    ):
        yield (float(x0) + float(x1)) / 2, float(y0), float(y1), word


def evenly(points):
    """Do values run with their places, evenly or by the logarithm? The ends may be moved inwards to stay in the picture."""
    inner = points[1:-1] if len(points) > 3 else points
    (x0, v0), (x1, v1) = inner[0], inner[-1]
    for scale in (lambda v: v, lambda v: math.log(v) if v > 0 else math.nan):
        a, b = scale(v0), scale(v1)
        if x0 == x1 or not b > a:
            continue
        off = [abs(x0 + (x1 - x0) * (scale(v) - a) / (b - a) - x) for x, v in points]
        if all(d < 1.5 for d in off[1:-1]) and max(off[0], off[-1]) < 6:
            return True
    return False


def without_axes(found, of_model):
    """Numbers that are not along an axis: three or more in one line whose places are their values."""
    lines = {}
    for x, y, bottom, word in found:
        lines.setdefault((round(y), word.endswith("%")), []).append((x, value(word, "en")[0], bottom - y, word))
    for line in lines.values():
        line.sort()
        starts = [k for k in range(len(line)) if k == 0 or line[k][1] <= line[k - 1][1]]  # panels side by side
        for start, end in zip(starts, starts[1:] + [len(line)]):
            points = [(x, v) for x, v, _, _ in line[start:end]]
            two = of_model and len(points) == 2 and all(h < TICK_HEIGHT for _, _, h, _ in line[start:end])  # of a short axis
            if not two and (len(points) < 3 or not evenly(points)):
                yield from (w for _, _, _, w in line[start:end])


def printed_words(study, texts):
    """Numbers that stand in English labels and titles, in the sentences around charts, and in the field's dates."""
    said = []
    for name in ("survey.csv", "choices.csv"):
        with open(os.path.join(study, name), encoding="utf-8", newline="") as f:
            said += [r[c] or "" for r in csv.DictReader(f) for c in r if c and c.endswith("::en")]
    with open(os.path.join(study, "study.yaml"), encoding="utf-8") as f:
        text = f.read()
    said += re.findall(r"\blimits: \[(.*?)\]", text)  # of the classes of a map
    said += re.findall(r'\ben: ("[^"]*"|[^,}\n]*)', text)
    said += [d.replace("-0", "-").replace("-", " ") for d in re.findall(r"\b(?:from|to): (\d{4}-\d\d-\d\d)", text)]
    with open(os.path.join(texts, "en.yaml"), encoding="utf-8") as f:
        said += [line.split(": ", 1)[1] for line in f if re.match(r"\w+_note|ranking_\w+|histogram_\w+|tiles_\w+", line)]
    return {token for line in said for token in re.findall(r"\d+(?:\.\d+)?%?", line)}


def counted_in_titles(run):
    """Numbers in titles that count tests, by chart: tests/trace.py works them out anew."""
    found = {}
    with open(os.path.join(run, "quality/figures.csv"), encoding="utf-8", newline="") as f:
        for line in csv.DictReader(f):
            if line["origin"].startswith("finding_"):
                found[line["chart"]] = set(re.findall(r"\d+", line["title"]))
    return found


def compare_charts(study, run, tables, variable, labels):
    compared, counted = 0, counted_in_titles(run)
    for path in sorted(glob.glob(os.path.join(run, "charts/*-en.pdf"))):
        stem, country, _ = os.path.basename(path).rsplit("-", 2)
        rows = about(tables.get(stem.split(".")[0], []), variable, "" if country == "all" else country, True)
        rows = rows + [r for a in tables for r in about(tables[a], variable, "" if country == "all" else country)
                       if r["statistic"] == "net" and any(q["term"] == r["term"] for q in rows)]
        of_model = any(r["statistic"].startswith(("coefficient", "odds_ratio", "rate_ratio")) for r in rows)
        # A heat map of correlations numbers its items.
        items = {r[c] for r in rows if r["statistic"].startswith("correlation") for c in ("term", "level")}
        numbering = {str(k + 1) for k in range(len(items))}
        numbering |= counted.get(os.path.basename(path)[:-4], set())
        said = list(words(path))
        numeric, signless = [w for w in said if TOKEN["en"].fullmatch(w[3])], any(w[3] == "%" for w in said)
        for token in without_axes(numeric, of_model):
            if token.lstrip("−+-") in labels or token in numbering:
                continue
            compared += 1
            if not is_rounding(token, "en", rows, ["estimate", "n"] + (["lower", "upper"] if of_model else []),
                               signless):
                fault(os.path.basename(path), "no row of the analysis rounds to " + token)
    return compared


# ---- briefs ---------------------------------------------------------------------------------------------------------

QUOTED = re.compile("“[^”]*”|„[^“]*“")
TRACE = re.compile(r"\[[^\]]*(?:table|Tabelle)\s+([\w.]+)\s*\]")
FIGURE = re.compile(r"\n(?:Figure|Abbildung)\s\d+\n.*?\n(?:Item|Frage): [^.]*\.", re.S)
FOOT = re.compile(r"\n[^\n]*\n[^\n]*\n(?:Page|Seite) \d[^\n]*\n[^\n]*\n|\n[^\n]* (?:Page|Seite) \d+ (?:of|von) \d+(?=\n)")
# The level of intervals; how many groups or factors there are.
WORDS = re.compile(r"95\s?%[ -]interval|95-%-Intervall|\b\d+ (?:groups?|other factors?|Gruppen?|weiteren? Faktor(?:en)?)\b", re.I)


def other_way_round(row):
    """A difference, which words may state from either side."""
    numbers = {c: repr(-float(row[c])) for c in ("estimate", "lower", "upper") if row[c]}
    return dict(row, **numbers)


def compare_briefs(run, tables, variable):
    compared = 0
    for path in sorted(glob.glob(os.path.join(run, "briefs/*.pdf"))):
        country, lang = re.match(r"brief-(.*)-(\w+)\.pdf", os.path.basename(path)).groups()
        if lang not in TOKEN:
            continue
        text = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True).stdout.decode()
        text = text.replace("\f", "").replace("\u00ad\n", "")
        text = text[max(text.find("\nFindings "), text.find("\nErgebnisse "), 0):]
        text = FOOT.sub("\n", FIGURE.sub("\n", text))
        at = 0
        for trace in TRACE.finditer(text):
            finding, at = text[at:trace.start()], trace.end()
            rows = about(tables.get(trace.group(1), []), variable, "" if country == "all" else country)
            if not rows:
                fault(os.path.basename(path), "there is no table " + trace.group(1))
            rows = rows + [other_way_round(r) for r in rows if r["statistic"] == "difference"]
            for token in TOKEN[lang].findall(WORDS.sub(" ", QUOTED.sub(" ", finding.replace("\n", " ")))):
                compared += 1
                if not is_rounding(token, lang, rows, ["estimate", "lower", "upper", "n"]):
                    fault(os.path.basename(path), "no row of %s rounds to %s" % (trace.group(1), token))
    return compared


def spoil(rows, key):
    """The estimate with its interval goes elsewhere."""
    for r in rows:
        if ",".join(r[c] for c in ("analysis", "domain", "term", "level", "statistic")) == key:
            for name in ("estimate", "lower", "upper"):
                r[name] = repr(float(r[name]) * 1.25)
            return
    sys.exit("there is no row " + key)


def main(study, run, parts):
    rows = read_rows(run)
    for p in [p for p in parts if p.startswith("--spoil=")]:
        parts.remove(p)
        spoil(rows, p.split("=", 1)[1])
    tables = by_analysis(rows)
    variable = country_variable(study)
    ways = {
        "sqlite": lambda: compare_sqlite(run, rows),
        "workbooks": lambda: compare_workbooks(run, tables),
        "charts": lambda: compare_charts(study, run, tables, variable, printed_words(study, "reports/texts")),
        "briefs": lambda: compare_briefs(run, tables, variable),
    }
    for name in parts or ways:
        n = ways[name]()
        print("%s: %d compared" % (name, n))
        if not n:
            fault(name, "nothing to compare")
    for f in faults:
        print(f)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
