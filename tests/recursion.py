"""Finds the functions of a library that call themselves, alone or in a ring, and holds them against a list.

    recursion.py LIBRARY.a LIST

Each line of LIST names a function and what ends its recursion; a function that is not there is an error, since nobody said
how deep it goes. Calls through pointers are not seen."""
import re
import subprocess
import sys

CALL = re.compile(r"\b(?:call|jmp)\w*\s+[0-9a-f]+ <([\w.]+)>")
RELOCATION = re.compile(r"R_X86_64_(?:PLT32|PC32)\s+([A-Za-z_][\w.]*)-0x4|R_AARCH64_(?:CALL|JUMP)26\s+([A-Za-z_][\w.]*)")


def plain(name):
    """foo.part.0 and foo.constprop.1 are foo."""
    return name.split(".")[0]


def read_calls(library):
    """For each function (member of the library, name) the names that it calls."""
    calls, here, said = {}, None, None
    listing = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", library], capture_output=True, text=True, check=True)
    member = ""

    def note():
        # a jump to its own beginning is a loop
        if here and said and not (said[1] and said[0] == here[1]):
            calls[here].add(said[0])

    for line in listing.stdout.splitlines():
        relocation = RELOCATION.search(line)
        if relocation and said is not None:
            said = (plain(next(g for g in relocation.groups() if g)), said[1])  # what the instruction shows is no target
            continue
        note()
        said = None
        if "file format elf" in line:
            member = line.split(":")[0]
            continue
        start = re.match(r"^[0-9a-f]+ <([\w.]+)>:$", line)
        if start:
            here = (member, plain(start.group(1)))
            calls.setdefault(here, set())
            continue
        jump = re.search(r"\bjmp", line) is not None
        found = CALL.search(line)
        if found:
            said = (plain(found.group(1)), jump)
        elif here:
            said = ("", jump)
    note()
    return calls


def resolve(calls):
    where = {}
    for member, name in calls:
        where.setdefault(name, (member, name))
    return {
        f: [(f[0], n) if (f[0], n) in calls else where[n] for n in sorted(names) if (f[0], n) in calls or n in where]
        for f, names in calls.items()
    }


def rings(graph):
    """Strongly connected components (Tarjan 1972) with a call inside."""
    index, low, stack, on, found = {}, {}, [], set(), []

    def enter(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in graph[v]:
            if w not in index:
                enter(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            ring = []
            while not ring or ring[-1] != v:
                ring.append(stack.pop())
                on.discard(ring[-1])
            if len(ring) > 1 or v in graph[v]:
                found.append(ring)

    for v in graph:
        if v not in index:
            enter(v)
    return found


def main():
    sys.setrecursionlimit(100000)
    known = {line.split()[0] for line in open(sys.argv[2], encoding="utf-8") if line.strip() and not line.startswith("#")}
    recursive = {name for ring in rings(resolve(read_calls(sys.argv[1]))) for _, name in ring}
    for name in sorted(recursive - known):
        print(f"{name} calls itself, and {sys.argv[2]} does not say what ends it")
    if len(recursive) < 10:
        print(f"only {len(recursive)} recursive functions found: is this a library with symbols?")
        return 1
    return 1 if recursive - known else 0


sys.exit(main())
