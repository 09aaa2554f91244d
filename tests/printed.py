"""Can the workbooks of a publication be read on paper and on a screen? Usage: printed.py RUN [--page=CHARACTERS]; prints
what cannot, status 1 if anything, or if there was nothing to see. --page takes a narrower one, to see that it is noticed.

    every table   its headings stand still on a screen and are repeated on each page; on one page it is at most 165
                  characters wide (8 points on A4 across), else it takes several and the columns that name its rows are
                  repeated on each
    every chart   lies within the one column of its sheet, whose width at the sheet's scale fits A4 upright
"""
import glob, html, os, re, sys, zipfile

UPRIGHT, POINTS_OF_A_CHARACTER = 595 - 2 * 0.7 * 72, 7 * 0.75
faults = []


def parts(path):
    with zipfile.ZipFile(path) as book:
        return {n: book.read(n).decode() for n in book.namelist() if n.endswith((".xml", ".rels"))}


def columns(sheet):
    """Widths by column; columns without one have the usual 8.43."""
    return {k: float(w) for a, b, w in re.findall(r'<col min="(\d+)" max="(\d+)" width="([\d.]+)"', sheet)
            for k in range(int(a) - 1, int(b))}


def see_table(where, sheet, titles, page):
    widths = columns(sheet)
    total = sum(widths.values()) - 0.71 * len(widths)
    pages = int((re.search(r'fitToWidth="(\d+)"', sheet) or [0, 1])[1])
    if 'state="frozen"' not in sheet:
        faults.append(where + ": nothing stands still")
    if not re.search(r"!\$\d+:\$\d+", titles):
        faults.append(where + ": the headings are not repeated")
    named = re.search(r"!\$A:\$([A-Z]+)", titles)
    if pages > 1 and not named:
        faults.append(where + ": several pages across, whose rows have no names")
    lead = sum(widths[k] - 0.71 for k in range(ord(named[1]) - 64)) if named else 0
    if (total + lead * (pages - 1)) / pages > page + 0.01:
        faults.append("%s: %.0f characters on %d pages" % (where, total, pages))
    return pages > 1


def see_charts(where, sheet, drawing):
    scale = int(re.search(r'<pageSetup [^>]*scale="(\d+)"', sheet)[1]) / 100
    if max(columns(sheet).values()) * POINTS_OF_A_CHARACTER * scale > UPRIGHT:
        faults.append(where + ": is wider than its page")
    ends = re.findall(r"<xdr:to><xdr:col>(\d+)</xdr:col>", drawing)
    if any(int(c) for c in ends):
        faults.append(where + ": a chart leaves its column")
    return len(ends)


def main(run, page):
    tables = wide = charts = 0
    for path in sorted(glob.glob(os.path.join(run, "tables/*.xlsx"))):
        part = parts(path)
        names = re.findall(r'<sheet [^>]*name="([^"]*)"', part["xl/workbook.xml"])
        titles = {int(k): html.unescape(t) for k, t in re.findall(
            r'<definedName name="_xlnm.Print_Titles" localSheetId="(\d+)">([^<]*)<', part["xl/workbook.xml"])}
        for k, name in enumerate(names):
            where, sheet = os.path.basename(path) + ", " + name, part["xl/worksheets/sheet%d.xml" % (k + 1)]
            if re.match(r"\d+ ", name):
                tables += 1
                wide += see_table(where, sheet, titles.get(k, ""), page)
            links = part.get("xl/worksheets/_rels/sheet%d.xml.rels" % (k + 1), "")
            drawing = re.search(r"drawings/(drawing\d+\.xml)", links)
            if drawing:
                charts += see_charts(where, sheet, part["xl/drawings/" + drawing[1]])
    print("%d tables, %d of several pages across, %d charts" % (tables, wide, charts))
    for f in faults:
        print(f)
    return 1 if faults or not tables or not wide or not charts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float((sys.argv + ["--page=165"])[2].split("=")[1])))
