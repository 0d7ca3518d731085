#!/usr/bin/env python3
"""Holds every message that README.md, CONTRIBUTING.md and docs/ quote against what tests produce.

Produced is what stands in expected/*.out and test/isolation/expected/*.out, what a pgTAP script demands of throws_ok, a script
of test/t of an error (qr/^SQLSTATE: message/), and what a block of the documents prints (test/docs/readme.py runs and
compares those). Quoted is
  - each line of another block, and each `code` in running text, that begins with ERROR:, WARNING:, NOTICE:, DETAIL: or HINT:,
  - "three words or more" between double quotes in running text,
  - each row of the tables of docs/errors.md: SQLSTATE (or NOTICE), constraints, message. The message must have been produced
    with this SQLSTATE, and each constraint with this SQLSTATE and this message.
"…" in a quotation stands for any text. docs/errors.md is complete: each message of ours that was produced with a SQLSTATE, or as a
NOTICE, has a row there, and so has each constraint, save foreign keys. Ours is what a literal of src/ makes.

Prints TAP; needs no server.
"""
import glob
import os
import re
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SEVERITY = re.compile(r"^(?:psql:\S+ )?(ERROR|WARNING|NOTICE|DETAIL|HINT): +(.*)$")
STATE = re.compile(r"^(?=[0-9A-Z]*[0-9])([0-9A-Z]{5})(?: ([a-z0-9_]+))?$")
ENDS = re.compile(r"^(CONTEXT|LINE \d+|QUERY|STATEMENT):?|^\s*\^$")
RUN = re.compile(r"^```(?:sql|sh|crontab)\n.*?^```\n\n```text\n(.*?)^```\n", re.M | re.S)
FENCE = re.compile(r"^```.*?^```\n", re.M | re.S)
DEMANDED = re.compile(r"'([0-9A-Z]{5})',\s*(?:\$\$(.*?)\$\$|'((?:[^']|'')*)')\s*,")
EXPECTED = re.compile(r"qr/\^([0-9A-Z]{5}): ([^/]+)/")
ROW = re.compile(r"^\| ([0-9A-Z]{5}(?:, [0-9A-Z]{5})*|NOTICE|WARNING) \|([^|\n]*)\| ([^|\n]*) \| [^|\n]* \|$", re.M)

# The server's own, which tests show without SQLSTATE.
SERVERS = {"deadlock detected": "40P01", "could not serialize access due to …": "40001", "malformed range literal: …": "22P02"}

# What only functions say that nobody is told of.
PRIVATE = ("a hash must have … bytes", "there are no leaves", "… is not a subject of the audit log")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\n]|\'\')*)\'')


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        return file.read()


class Produced:
    """Messages as {(text, SQLSTATE or None, constraint or None)}; details and hints as texts."""

    def __init__(self):
        self.messages, self.details, self.hints = set(), set(), set()

    def add_output(self, text):
        lines = [line.rstrip() for line in text.split("\n")]
        state, constraint, last, pending = None, None, None, []
        for n, line in enumerate(lines):
            found, code = SEVERITY.match(line), STATE.match(line)
            if found and found.group(1) in ("NOTICE", "WARNING"):
                self.messages.add((found.group(2), found.group(1), None))
            if found and found.group(1) in ("ERROR", "WARNING", "NOTICE"):
                said = re.sub(r" at character \d+$", "", found.group(2))
                with_state = re.match(r"([0-9A-Z]{5}): (.*)", said)
                pending = [with_state.group(2) if with_state else said]
                self.messages.add((pending[0], with_state.group(1) if with_state else None, None))
                last = None
            elif found:
                last = self.details if found.group(1) == "DETAIL" else self.hints
                last.add(found.group(2))
            elif code and pending:
                # \echo :SQLSTATE behind an error
                self.messages.update((said, code.group(1), None) for said in pending)
                pending, last = [], None
            elif code and n + 1 < len(lines):
                # test.refused(): SQLSTATE and constraint, then the message
                state, constraint = code.groups()
                self.messages.add((lines[n + 1], state, constraint))
                last = None
            elif line.startswith("\\echo"):
                last = None
            elif ENDS.match(line) or not line:
                last = None
            elif last is self.details:
                last.add(line)
                last.add(re.sub(r"^Line \d+: ", "", line))
            else:
                pending = []

    def add_demands(self, script):
        for state, dollar, quote in DEMANDED.findall(script):
            self.messages.add((dollar or quote.replace("''", "'"), state, None))

    def add_expected(self, script):
        self.messages.update((text, state, None) for state, text in EXPECTED.findall(script))

    def has(self, quoted, kinds="message detail hint"):
        pattern = as_pattern(quoted)
        texts = [text for text, _, _ in self.messages] if "message" in kinds else []
        texts += self.details if "detail" in kinds else []
        texts += self.hints if "hint" in kinds else []
        return any(pattern.fullmatch(text) for text in texts)

    def states(self, quoted):
        """The SQLSTATEs and constraints with which a message was produced."""
        pattern = as_pattern(quoted)
        return {(state or state_of_server(text), constraint) for text, state, constraint in self.messages if pattern.fullmatch(text)}


def as_pattern(quoted):
    return re.compile(".*?".join(re.escape(part) for part in quoted.strip().split("…")), re.S)


def state_of_server(text):
    return next((state for message, state in SERVERS.items() if as_pattern(message).fullmatch(text)), None)


def made_by_us():
    """A pattern of what the literals of src/ make of several words."""
    parts = set()
    for path in glob.glob(os.path.join(TOP, "src/*/*.c")) + glob.glob(os.path.join(TOP, "src/*/*.sql")):
        source = re.sub(r'"\s*(?:[A-Z]+64_FORMAT)\s*"', "%s", read(path))
        for in_c, in_sql in LITERAL.findall(source):
            text = in_c.replace('\\"', '"') or in_sql.replace("''", "'")
            words = re.sub(r"%(\d+\$|\.\d+|l+)?[a-zA-Z]|\$\w+", "…", text)
            if len(re.findall(r"[a-z]{2,}", words)) > 2:
                parts.add(as_pattern(words).pattern)
    return re.compile("|".join(f"(?:{part})" for part in sorted(parts)), re.S)


def without_row(produced, rows):
    """Messages of ours, and constraints, that docs/errors.md has no row for."""
    quoted = [as_pattern(message) for _, _, message in rows] + [as_pattern(message) for message in PRIVATE]
    ours = made_by_us()
    for text in sorted({text for text, state, _ in produced.messages if state}):
        if ours.fullmatch(text) and not any(pattern.fullmatch(text) for pattern in quoted):
            yield f"no row: {text}"
    named = {name for _, names, _ in rows for name in names.replace(",", " ").split()}
    for name in sorted({name for _, _, name in produced.messages if name and not name.endswith("_fkey")} - named):
        yield f"no row names {name}"


def quotations(text):
    """What a page quotes: (kinds, quotation)."""
    text = RUN.sub("", text)
    for block in FENCE.findall(text) + re.findall(r"^(?: {4}.*\n)+", FENCE.sub("", text), re.M):
        for line in block.split("\n"):
            found = SEVERITY.match(line.strip())
            if found:
                yield found.group(1), found.group(2)
    prose = re.sub(r"^(?: {4}.*\n)+", "", FENCE.sub("", text), flags=re.M)
    for code in re.findall(r"`([^`]+)`", prose):
        found = SEVERITY.match(re.sub(r"\s+", " ", code))
        if found:
            yield found.group(1), found.group(2)
    prose = re.sub(r"`[^`]*`", "", prose)
    prose = "\n".join(line for line in prose.split("\n") if not line.startswith("|"))
    for quoted in re.findall(r'[“"]([^"“”]+)[”"]', prose):
        if len(quoted.split()) > 2:
            yield "any", re.sub(r"\s+", " ", quoted)


def main():
    produced = Produced()
    for path in glob.glob(os.path.join(TOP, "expected/*.out")) + glob.glob(os.path.join(TOP, "test/isolation/expected/*.out")):
        produced.add_output(read(path))
    for path in glob.glob(os.path.join(TOP, "test/pgtap/*.sql")):
        produced.add_demands(read(path))
    for path in glob.glob(os.path.join(TOP, "test/t/*.pl")):
        produced.add_expected(read(path))
    pages = ["README.md", "CONTRIBUTING.md"] + sorted(os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, "docs/*.md")))
    texts = {page: read(page) for page in pages}
    for text in texts.values():
        for shown in RUN.findall(text):
            produced.add_output(shown)

    results = []
    for page, text in texts.items():
        wrong, count = [], 0
        for kind, quoted in quotations(text):
            count += 1
            kinds = {"DETAIL": "detail", "HINT": "hint", "any": "message detail hint"}.get(kind, "message")
            if not produced.has(quoted, kinds):
                wrong.append(f"no test produces it: {quoted}")
        results.append((f"{page}: {count} messages that it quotes", wrong))
    rows = ROW.findall(texts["docs/errors.md"])
    results.append(("docs/errors.md has rows", [] if rows else ["none"]))
    results.append(("docs/errors.md is complete", list(without_row(produced, rows))))
    for state, constraints, message in [(state, *row) for states, *row in rows for state in states.split(", ")]:
        states = produced.states(message)
        wrong = []
        if not states:
            wrong.append("no test produces it")
        elif state not in {known for known, _ in states}:
            wrong.append(f"no test produces it with SQLSTATE {state}, but with {sorted(str(known) for known, _ in states)}")
        for constraint in constraints.replace(",", " ").split():
            if (state, constraint) not in states:
                wrong.append(f"no test produces it for {constraint}")
        results.append((f"docs/errors.md: {state} {message}", wrong))
    for n, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {n} - {name}")
        print("".join(f"#   {line}\n" for line in wrong), end="")
    print(f"1..{len(results)}")
    return 1 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
