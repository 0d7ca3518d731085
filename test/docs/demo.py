#!/usr/bin/env python3
"""Runs make demo's command and holds what it shows, part by part, against what it promises.

Each part below names the lines that it must show, and how many statements of it are refused on purpose: more refusals,
or fewer, are a failure, and so is a part that has gone. Times and keys are not looked at.

Prints TAP. Runs the demo in a folder of its own, with a server of its own, and stops that.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SECONDS = 300

# A part: its heading, how many errors it shows, and the lines that must be there, with any run of spaces as one.
PARTS = (
    ("What there is", 0, ("DE | 750 | 730 | 14 | 6", "3 | S-2026-DE | 1 | standard | 2026-01-01 | 2026-12-31")),
    ("Wrong lines, one at a time", 6, ('DETAIL: Perhaps "DE-000266" was meant.',)),
    ("The whole list by COPY", 1, ("ERROR: 8 of 3887 list lines are refused",)),
    ("Who is listed where", 0, ("S-2026-DE | Nordwerk Metall GmbH | standard | 646 | 11,628 EUR",)),
    ("Changes during the year", 0, ("SET cec.reason = 'ticket 4711: overhaul in July';",)),
    ("Bundles", 1, (
        "DE-000112 | S-2026-DE | standard | 2026-01-01 | 2026-12-31 | t | f",
        "DE-000112-M | S-2026-DE | standard | 2026-04-01 | 2026-12-31 | f | t",
        "DE-000112-S | S-2026-DE | standard | 2026-06-01 | 2026-12-31 | f | t",
        'ERROR: asset "DE-000112" would inherit from itself')),
    ("Who is covered", 0, (
        "DE-000112-S | S-2026-DE | standard | 2026-06-01 | 2026-12-31 | t",
        '7 | covered | Asset "DE-000112-S" is covered under term 1 of contract S-2026-DE on 2026-07-15.',
        "6 | no | It is carved out of this term 2026-07-01 to 2026-07-31.",
        '7 | not covered | Asset "DE-000096" is not covered under term 1 of contract S-2026-DE on 2026-07-15.',
        "2026-12-31 22:59:59+00 | S-2026-DE | 2026-12-31",
        "2026-12-31 23:00:00+00 | |")),
    ("A pump is retired", 0, (
        "DE-000112 | 2026-01-01 | 2026-09-15 | t | f",
        "DE-000112-M | 2026-04-01 | 2026-09-15 | f | t",
        "DE-000112-S | 2026-06-01 | 2026-09-15 | f | t",
        "DE-000112 | 2026-01-01 | 2026-12-31 | f",
        "DE-000112-M | 2026-04-01 | 2026-12-31 | t",
        "DE-000112-S | 2026-06-01 | 2026-12-31 | t")),
    ("Is all of that right?", 1, (
        'ERROR: table "coverage" is kept by the engine',
        "problem | asset_id | term_id | valid_from | last_day\n---------+----------+---------+------------+----------\n",
        "3884 | 3885 | 2")),
    ("The trail of one asset", 1, ("decommissioned_on - 2026-11-15", 'ERROR: table "audit_log" is append-only')),
    ("Go on by yourself", 0, ("SELECT asset_tag, category, status, covered_until, covered_from FROM fleet.uncovered_asset LIMIT 20;",)),
)

tests = 0
failed = 0


def is_ok(name, good, detail=""):
    global tests, failed
    tests += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {name}")
    if not good:
        print("".join(f"#   {line}\n" for line in detail.splitlines()), end="")


def plain(text):
    return re.sub(r"^ +", "", re.sub(r" +", " ", re.sub(r" +$", "", text, flags=re.M)), flags=re.M)


def run(folder, *arguments):
    return subprocess.run([os.path.join(TOP, "test/bin/demo"), *arguments], env=dict(os.environ, TMPDIR=folder),
                          encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def main():
    folder = tempfile.mkdtemp(prefix="cec-demo.", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        started = time.monotonic()
        done = run(folder)
        elapsed = time.monotonic() - started
        is_ok("the demo gets to its end", done.returncode == 0, done.stdout)
        is_ok(f"within {SECONDS} seconds", elapsed < SECONDS, f"{elapsed:.0f} s")
        shown = re.split(r"^== ", plain(done.stdout), flags=re.M)[1:]
        is_ok("its parts, in order", len(shown) == len(PARTS) and all(
            part.startswith(wanted[0]) for part, wanted in zip(shown, PARTS)), "\n".join(part.split("\n")[0] for part in shown))
        for heading, errors, lines in PARTS:
            part = next((part for part in shown if part.startswith(heading)), "")
            missing = [line for line in lines if f"\n{line}\n" not in part]
            is_ok(f"{heading}: shows its {len(lines)} lines", not missing, "missing:\n" + "\n".join(missing) + "\nshown:\n" + part)
            found = re.findall(r"^(?:psql:[^\n]* )?(?:ERROR|FATAL|PANIC|WARNING): .*", part, re.M)
            is_ok(f"{heading}: {errors} refused", len(found) == errors, "\n".join(found))
        is_ok("it stops", run(folder, "stop").returncode == 0 and not os.path.exists(os.path.join(folder, "cec-demo")))
    finally:
        if os.path.exists(os.path.join(folder, "cec-demo")):
            run(folder, "stop")
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
