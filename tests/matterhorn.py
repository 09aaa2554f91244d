"""Points of the Matterhorn Protocol 1.02 (PDF/UA-1) that a program can test, on the finished files, with other software than
made them. Usage: matterhorn.py FILE...; prints what is wrong; status 1 if anything is, or if there was no file.

    01-005 content is tagged or an artifact   06-001 -002 -003 XMP, pdfuaid:part, dc:title   07-001 -002 DisplayDocTitle
    09-004..-008 tables, lists and their parts nest as they must   11-006 /Lang   13-004 figures have /Alt
    14-002 -003 -006 headings begin with H1, skip no level   15-003 heads of tables have a scope   20-003 no optional content
    26-001 not encrypted   27-001 no navigation without tags: MarkInfo   28-002 no annotation   31-001 fonts embedded, with
    ToUnicode (10-001)   bookmarks
"""
import json, re, subprocess, sys

PARENTS = {"/TR": {"/Table"}, "/TH": {"/TR"}, "/TD": {"/TR"}, "/LI": {"/L"}, "/LBody": {"/LI"}, "/Lbl": {"/LI"}}
CHILDREN = {"/Table": {"/TR", "/Caption"}, "/TR": {"/TH", "/TD"}, "/L": {"/LI", "/Caption"}, "/LI": {"/LBody", "/Lbl"}}


class Pdf:
    def __init__(self, path):
        data = json.loads(subprocess.run(["qpdf", "--json", path], capture_output=True, check=True).stdout)
        if "objects" in data:
            self.objects, trailer = data["objects"], data["objects"]["trailer"]
        else:
            raw = data["qpdf"][1]
            self.objects = {k[4:]: v.get("value", v.get("stream", {}).get("dict")) for k, v in raw.items() if k != "trailer"}
            trailer = raw["trailer"]["value"]
        self.trailer = trailer
        self.root = self.get(trailer["/Root"])

    def get(self, x):
        return self.objects.get(x) if isinstance(x, str) and re.fullmatch(r"\d+ \d+ R", x) else x

    def elements(self):
        """Every structure element with its type and its parent's, in reading order."""
        tree = self.get(self.root.get("/StructTreeRoot")) or {}
        stack = [(tree.get("/K"), None)]
        while stack:
            x, parent = stack.pop()
            x = self.get(x)
            if isinstance(x, list):
                stack += [(k, parent) for k in reversed(x)]
            elif isinstance(x, dict) and "/S" in x:
                yield x, parent
                if "/K" in x:
                    stack.append((x["/K"], x["/S"]))


def text(x):
    return x[2:] if isinstance(x, str) and x.startswith("u:") else x


def document_faults(pdf, raw):
    root = pdf.root
    if not (pdf.get(root.get("/MarkInfo")) or {}).get("/Marked"):
        yield "27-001", "not marked"
    if not (pdf.get(root.get("/ViewerPreferences")) or {}).get("/DisplayDocTitle"):
        yield "07-001", "does not show its title"
    if not text(root.get("/Lang")):
        yield "11-006", "has no language"
    if "/Encrypt" in pdf.trailer:
        yield "26-001", "is encrypted"
    if "/OCProperties" in root:
        yield "20-003", "has optional content"
    if "/Outlines" not in root:
        yield "bookmarks", "has none"
    for point, pattern in (("06-002", r"pdfuaid:part\W+1\b"), ("06-003", r"<dc:title>.*?<rdf:li[^>]*>[^<]")):
        if "/Metadata" not in root or not re.search(pattern, raw, re.S):
            yield point, "XMP lacks it"
    if any(isinstance(o, dict) and o.get("/Type") == "/Annot" for o in pdf.objects.values()):
        yield "28-002", "has annotations"


def structure_faults(pdf):
    level = 0
    for x, parent in pdf.elements():
        kind = x["/S"]
        if kind in PARENTS and parent not in PARENTS[kind]:
            yield "09-004", "%s stands in %s" % (kind, parent)
        if parent in CHILDREN and kind not in CHILDREN[parent]:
            yield "09-005", "%s holds %s" % (parent, kind)
        if kind == "/Figure" and not text(x.get("/Alt", "")):
            yield "13-004", "a figure has no /Alt"
        attributes = x.get("/A") if isinstance(x.get("/A"), list) else [x.get("/A")]
        if kind == "/TH" and not any((pdf.get(a) or {}).get("/Scope") for a in attributes):
            yield "15-003", "a head has no scope"
        head = re.fullmatch(r"/H(\d)", kind)
        if head:
            n = int(head.group(1))
            if n > level + 1:
                yield "14-003", "H%d follows H%d" % (n, level)
            level = n
    if not level:
        yield "14-002", "has no headings"


def font_faults(pdf):
    for o in pdf.objects.values():
        if not isinstance(o, dict) or o.get("/Type") != "/Font":
            continue
        if o.get("/Subtype") in ("/Type0", "/TrueType", "/Type1") and "/ToUnicode" not in o:
            yield "10-001", "%s has no ToUnicode" % o.get("/BaseFont")
    for o in pdf.objects.values():
        if isinstance(o, dict) and o.get("/Type") == "/FontDescriptor" and not any("/FontFile" + n in o for n in ("", "2", "3")):
            yield "31-001", "%s is not embedded" % o.get("/FontName")


def content_faults(raw):
    """Page streams: what shows text or paints stands between BMC or BDC and EMC."""
    for stream in re.findall(r"\nstream\n(.*?)\nendstream", raw, re.S):
        if not re.search(r"\b(BDC|BMC)\b", stream):
            continue
        depth = 0
        for token in re.findall(r"\((?:\\.|[^\\)])*\)|<[0-9a-fA-F]*>|[A-Za-z*']+(?![\w/])", stream):
            if token in ("BMC", "BDC"):
                depth += 1
            elif token == "EMC":
                depth -= 1
            elif token in ("TJ", "Tj", "f", "f*", "S", "B", "B*", "s", "b", "Do", "sh") and depth < 1:
                yield "01-005", "%s outside of tags and artifacts" % token
                return


def main(paths):
    found = 0
    for path in paths:
        raw = subprocess.run(["qpdf", "--qdf", "--object-streams=disable", path, "-"], capture_output=True, check=True)
        raw, pdf = raw.stdout.decode("latin-1"), Pdf(path)
        faults = [*document_faults(pdf, raw), *structure_faults(pdf), *font_faults(pdf), *content_faults(raw)]
        for point, what in dict.fromkeys(faults):
            print("%s: %s: %s" % (path, point, what))
        found += len(faults)
    print("%d files" % len(paths))
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
