"""Walks the pages of a publication in headless Chromium as somebody without a mouse would: nothing is written to the
console, the Tab key reaches every link, button and field in the order of the page and leaves none of them without a mark,
nothing is wider than a phone. Speaks DevTools' protocol over a pipe. Usage: browse.py CHROMIUM PAGE...; status 1 on a fault."""
import json, os, subprocess, sys, tempfile

FOCUSABLE = """(() => { const all = [...document.querySelectorAll('a[href],button,input,select,summary,[tabindex]')]
    .filter(e => !e.disabled && e.tabIndex >= 0 && e.getClientRects().length);
    all.forEach((e, k) => e.dataset.walk = k);
    return all.length; })()"""
HERE = """(() => { const e = document.activeElement, s = getComputedStyle(e);
    return [e.dataset.walk === undefined ? -1 : +e.dataset.walk, s.outlineStyle !== 'none' || s.boxShadow !== 'none']; })()"""
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Browser:
    def __init__(self, program, profile):
        to_read, self.to_write = os.pipe()
        self.to_read, from_write = os.pipe()
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                   "--user-data-dir=" + profile, "about:blank"]
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        self.process = subprocess.Popen(["sh", "-c", 'exec 3<&%d 4>&%d; exec "$@"' % (to_read, from_write), "sh"] + command,
                                        pass_fds=(to_read, from_write), stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(from_write)
        self.rest, self.count, self.session, self.events = b"", 0, None, []

    def message(self):
        while b"\0" not in self.rest:
            part = os.read(self.to_read, 1 << 16)
            if not part:
                sys.exit("the browser went away")
            self.rest += part
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.count += 1
        call = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.to_write, json.dumps(call).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.count:
                return m.get("result", {})
            self.events.append(m)

    def wait_for(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.message())

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")


def walk(b, page, faults):
    b.events = []
    b.call("Page.navigate", url="file://" + os.path.abspath(page))
    b.wait_for("Page.loadEventFired")
    n, seen, unmarked = b.value(FOCUSABLE), [], 0
    for _ in range(n + 1):
        for kind in ("keyDown", "keyUp"):
            b.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        at, marked = b.value(HERE)
        if at < 0 or at in seen:
            break
        seen.append(at)
        unmarked += not marked
    if seen != list(range(n)):
        faults.append("%s: the Tab key reaches %d of %d, in the order %s" % (page, len(seen), n, seen[:40]))
    if unmarked:
        faults.append("%s: %d of %d do not show that they have the focus" % (page, unmarked, n))
    b.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    if b.value(WIDTH) > 1:
        faults.append("%s: %d pixels wider than a phone" % (page, b.value(WIDTH)))
    b.call("Emulation.clearDeviceMetricsOverride")
    for e in b.events:
        if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
            faults.append("%s: %s" % (page, json.dumps(e["params"])[:300]))
    print("%s: %d stops" % (page, n))
    if not n:
        faults.append(page + ": nothing to walk to")


def main(program, pages):
    faults = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(program, profile)
        target = b.call("Target.createTarget", url="about:blank")["targetId"]
        b.session = b.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            b.call(domain + ".enable")
        for page in pages:
            walk(b, page, faults)
        b.session = None
        b.call("Browser.close")
        b.process.wait()
    for f in faults:
        print(f)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
