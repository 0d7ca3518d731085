#!/usr/bin/env python3
"""Holds cec.check_tag against programs of others: zint prints random tags, ZXing reads what was printed.

A tag is scannable if and only if zint prints it without a warning and ZXing reads the same bytes.  The tags are random, of the
characters and lengths where symbologies end, right and nearly right.  cec.check_digit is checked against the check characters of
the EICs of a real register, where there is one (CEC_DATA).

Prints TAP.  Needs psql, zint and ZXingReader on the path and the usual PG* variables.  CEC_TAGS is how many tags of each
symbology are tried (60); CEC_SEED makes the same tags again.
"""
import concurrent.futures
import csv
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

FOLDER = os.environ.get("CEC_DATA", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/data"))
DATABASE = "real_tag"
TAGS = int(os.environ.get("CEC_TAGS", "60"))
SEED = os.environ.get("CEC_SEED", str(time.time_ns() // 1000 % 1000000))
ZINT = {"code39": "CODE39", "code93": "CODE93", "code128": "CODE128", "gs1-128": "GS1_128", "datamatrix": "DATAMATRIX", "qr": "QRCODE"}

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CODE39 = DIGITS + CAPITALS + " -.$/+%"
GS1 = DIGITS + CAPITALS + CAPITALS.lower() + "!\"%&'()*+,-./:;<=>?_"
ASCII = "".join(map(chr, range(1, 128)))
CONTROLS = "".join(map(chr, range(1, 32)))
BEYOND = "é£ÄßΩЖ中ａ–\u00a0\u2028€"

tests = 0
failed = 0


def is_equal(name, got, wanted):
    global tests, failed
    tests += 1
    if got == wanted:
        print(f"ok {tests} - {name}", flush=True)
        return
    failed += 1
    print(f"not ok {tests} - {name}\n#   got:    {got}\n#   wanted: {wanted}", flush=True)


def ask(sql, rows=()):
    """The rows of a query over tags(n, tag, symbology)."""
    copied = "".join("\t".join(re.sub(r"[\\\x00-\x1f\x7f]", lambda c: f"\\x{ord(c.group()):02x}", str(value)) for value in row) + "\n"
                     for row in rows)
    text = ("CREATE TEMP TABLE tags (n integer, tag text, symbology text);\nCOPY tags FROM stdin;\n" + copied + "\\.\n"
            + f"SELECT to_json(q) FROM ({sql}) AS q;\n")
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", DATABASE], input=text, capture_output=True,
                          encoding="utf-8", env=dict(os.environ, PGCLIENTENCODING="UTF8"), check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def text_of(rng, letters, length):
    return "".join(rng.choice(letters) for _ in range(length))


def runs(rng, length):
    """A text whose characters come in runs of one kind, as Code 128 divides it."""
    text = ""
    while len(text) < length:
        text += text_of(rng, rng.choice([DIGITS, CAPITALS, "abc{~\x7f", CONTROLS, " -"]), rng.choice([1, 1, 2, 3, 4, 5, 9, 20]))
    return text[:length]


def gs1_check_digit(digits):
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def element_string(rng):
    """A GIAI or a GRAI, mostly right; its length mostly near an end."""
    if rng.random() < 0.5:
        text = "8004" + text_of(rng, DIGITS, 2) + text_of(rng, GS1, rng.choice([0, 1, 5, 12, 27, 28, 29]))
    else:
        digits = "0" + text_of(rng, DIGITS, 12)
        text = "8003" + digits + gs1_check_digit(digits) + text_of(rng, GS1, rng.choice([0, 1, 8, 15, 16, 17]))
    wrong = rng.random()
    place = rng.randrange(len(text))
    if wrong < 0.25:
        text = text[:place] + rng.choice(ASCII + BEYOND + DIGITS) + text[place + 1:]
    elif wrong < 0.35:
        text = text[:place]
    return text


def random_tag(rng, symbology):
    wrong = rng.random()
    if symbology == "gs1-128":
        text = element_string(rng)
    elif symbology == "code39":
        text = text_of(rng, CODE39, rng.choice([1, 2, 5, 12, 40, 84, 85, 86, 120]))
        if wrong < 0.3:
            place = rng.randrange(len(text))
            text = text[:place] + rng.choice(ASCII) + text[place + 1:]
    elif symbology == "code93":
        text = text_of(rng, rng.choice([CODE39, ASCII, CODE39 + "abc"]), rng.choice([1, 2, 5, 12, 40, 52, 53, 54, 55, 80, 100, 106, 107, 108]))
    elif symbology == "code128":
        text = rng.choice([runs(rng, rng.choice([1, 2, 5, 12, 30, 40, 45, 50, 55, 59, 60, 61, 70, 80, 100])),
                           text_of(rng, DIGITS, rng.choice([1, 2, 3, 4, 5, 117, 118, 119, 120, 121])),
                           text_of(rng, ASCII, rng.randint(1, 70))])
    else:
        text = rng.choice([runs(rng, rng.randint(1, 200)), text_of(rng, ASCII, rng.randint(1, 200)), text_of(rng, CODE39, rng.randint(1, 200))])
    if wrong > 0.95:
        place = rng.randint(0, len(text))
        text = text[:place] + rng.choice(BEYOND) + text[place:]
    return text


def tags_of(rng, symbology):
    """Random tags; of Code 128 each other one ends where it is told to have no more room, or one character before."""
    tags = [random_tag(rng, symbology) for _ in range(TAGS)]
    if symbology == "code128":
        long = [(n, runs(rng, 121), symbology) for n in range(0, TAGS, 2)]
        places = ask("SELECT (cec.check_tag(tag, symbology)).place FROM tags ORDER BY n", long)
        for (n, tag, _), row in zip(long, places):
            tags[n] = tag[:row["place"] - rng.randint(0, 1)]
    return tags


def data_of(tag, symbology):
    """What zint is handed: it wants application identifiers in brackets."""
    if symbology != "gs1-128":
        return tag
    return f"[{tag[:4]}]{tag[4:]}" if tag[:4] in ("8003", "8004") else None


def is_read_back(folder, n, tag, symbology):
    image = os.path.join(folder, f"{n}.png")
    data = data_of(tag, symbology)
    if data is None:
        return False
    printed = subprocess.run(["zint", "-b", ZINT[symbology], "--werror", "--quietzones", "--notext", "-o", image, "-d", data.encode()],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if printed.returncode != 0:
        return False
    read = subprocess.run(["ZXingReader", "-bytes", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    os.remove(image)
    return read.stdout == tag.encode()


def check_tags():
    rng = random.Random(float(SEED))
    for symbology in ZINT:
        rows = [(n, tag, symbology) for n, tag in enumerate(tags_of(rng, symbology))]
        told = ask("SELECT t.n, c.* FROM tags t, cec.check_tag(t.tag, t.symbology) AS c ORDER BY t.n", rows)
        with tempfile.TemporaryDirectory(prefix="cec-tags.") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
            seen = list(pool.map(lambda row: is_read_back(folder, *row), rows))
        wrong = [(tag, row, read) for (_, tag, _), row, read in zip(rows, told, seen) if row["is_scannable"] != read]
        is_equal(f"{symbology}: {TAGS} tags, of which {sum(seen)} are printed and read back, are scannable where they are", wrong[:5], [])
        is_equal(f"{symbology}: some are", any(seen), True)
        # What is said of those that are not.
        is_equal(f"{symbology}: place and message where there is an offence, and nowhere else",
                 [row for row in told if row["is_scannable"] != (row["place"] is None) or (row["place"] is None) != (row["message"] is None)], [])
        is_equal(f"{symbology}: a scannable tag is its own normal form",
                 [row for (_, tag, _), row in zip(rows, told) if row["is_scannable"] and row["normal_form"] != tag], [])
        forms = [(n, row["normal_form"], symbology) for n, row in enumerate(told) if row["normal_form"] is not None]
        if symbology != "gs1-128":
            forms += [(n, tag[:row["place"] - 1], symbology) for (n, tag, _), row in zip(rows, told) if row["place"] is not None and row["place"] > 1]
        is_equal(f"{symbology}: normal forms are scannable, and so is what stands before an offence",
                 ask("SELECT t.tag, c.* FROM tags t, cec.check_tag(t.tag, t.symbology) AS c WHERE NOT is_scannable", forms), [])


def check_register():
    codes = set()
    path = os.path.join(FOLDER, "register-2024-08.csv")
    if not os.path.exists(path):
        global tests
        tests += 1
        print(f"ok {tests} - check characters of EICs # SKIP there is no register")
        return
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            for value in row:
                codes.update(re.findall(r"(?<![0-9A-Z-])[0-9]{2}[A-Z][0-9A-Z-]{13}(?![0-9A-Z-])", value))
    rows = [(n, code, "") for n, code in enumerate(sorted(codes))]
    wrong = ask("SELECT tag FROM tags WHERE cec.check_digit('eic', left(tag, 15)) IS DISTINCT FROM right(tag, 1) ORDER BY 1", rows)
    is_equal(f"check characters of {len(rows)} EICs: those that end in a hyphen are none", [row["tag"] for row in wrong],
             sorted(code for code in codes if code.endswith("-")))
    is_equal("there are two of these", len(wrong), 2)


def main():
    print(f"# CEC_SEED={SEED}", flush=True)
    for sql in (f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}"):
        subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c", sql], check=True, env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))
    subprocess.run(["psql", "-X", "-q", "-d", DATABASE, "-c", "CREATE EXTENSION cec CASCADE"], check=True, stderr=subprocess.DEVNULL)
    check_tags()
    check_register()
    print(f"1..{tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
