#!/usr/bin/env python3
"""Runs the SQL of README.md and holds what psql prints against what the README says; its tables of rights and of what
conditions may mention likewise.
The constraints that it names must be in the source, and META.json must name the version of cec.control.

A block ```sql runs in one session with all others, in order. A block ```text behind it is what it prints; without one
it must not fail. With CEC_ACCEPT set the README takes what was printed: read it first.

Prints TAP. Needs psql on the path and the usual PG* variables; leaves no database and no roles behind.
"""
import glob
import json
import os
import re
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
README = os.path.join(TOP, "README.md")
DATABASE = "readme"
ROLES = ("plant_owner", "maria")
BLOCK = re.compile(r"^```sql\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.M | re.S)
REST = r".*\n(?:^\|.*\n)+"
CONSTRAINTS = re.compile(r"^\| [0-9A-Z, ]{5,} \| ([a-z_, ]+) \|", re.M)

RIGHTS = """
    WITH cell AS (
        SELECT object, level, string_agg(CASE privileges WHEN 'SELECT' THEN 'read' WHEN 'EXECUTE' THEN 'run'
            WHEN 'INSERT, UPDATE, DELETE' THEN 'write' ELSE privileges END, ', ' ORDER BY privileges DESC) AS may
        FROM cec.access_privilege GROUP BY object, level
    ), line AS (
        SELECT object, string_agg(coalesce(may, '') || ' |', ' ' ORDER BY place) AS cells,
            bool_or(may = 'run') AS is_function, count(may) AS levels
        FROM unnest('{analyst,manager,registry,billing,auditor,admin}'::text[]) WITH ORDINALITY AS l(level, place)
            CROSS JOIN (SELECT DISTINCT object FROM cec.access_privilege) AS o
            LEFT JOIN cell USING (object, level)
        GROUP BY object
    )
    SELECT '| ' || string_agg(object, ', ' ORDER BY object) || ' | ' || cells FROM line
    GROUP BY cells, is_function, levels ORDER BY is_function, levels DESC, min(object);"""


COLUMNS = """
    SELECT format('| %s | %s | %s |', column_name, type, meaning) FROM cec.rule_column;"""

FUNCTIONS = """
    SELECT format('| %s(%s) | %s | %s |', function_name, arguments, result, meaning) FROM cec.rule_function;"""

# A table of the README: what it is of, how its first line begins, its first lines, and the query that prints the others.
TABLES = (
    ("rights", "| | analyst ", "| | analyst | manager | registry | billing | auditor | admin |\n" + "| --- " * 7 + "|\n", RIGHTS),
    ("columns in conditions", "| column | type ", "| column | type | meaning |\n| --- | --- | --- |\n", COLUMNS),
    ("functions in conditions", "| function in conditions ",
     "| function in conditions | returns | meaning |\n| --- | --- | --- |\n", FUNCTIONS),
)


def psql(text, database=DATABASE, *options):
    done = subprocess.run(["psql", "-X", "-q", "-d", database, *options], input=text, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return re.sub(r" +$", "", done.stdout, flags=re.M)


def clean_up():
    psql(f"DROP DATABASE IF EXISTS {DATABASE};\n" + "".join(f"DROP ROLE IF EXISTS {role};\n" for role in ROLES), "postgres")


def main():
    with open(README, encoding="utf-8") as file:
        readme = file.read()
    blocks = list(BLOCK.finditer(readme))
    clean_up()
    psql(f"CREATE DATABASE {DATABASE};", "postgres")
    script = "".join(f"\\echo @@@{n}\n{block.group(1)}" for n, block in enumerate(blocks))
    printed = {int(n): text.strip("\n") + "\n" for n, text in
               re.findall(r"^@@@(\d+)\n(.*?)(?=^@@@|\Z)", psql(script), re.M | re.S)}
    tables = [(name, re.compile("^" + re.escape(begin) + REST, re.M), head + psql(query, DATABASE, "-A", "-t"))
              for name, begin, head, query in TABLES]
    clean_up()

    if os.environ.get("CEC_ACCEPT"):
        n = -1

        def take(block):
            nonlocal n
            n += 1
            text = "" if block.group(2) is None else f"\n```text\n{printed[n]}```\n"
            return f"```sql\n{block.group(1)}```\n{text}"

        accepted = BLOCK.sub(take, readme)
        for _, pattern, text in tables:
            accepted = pattern.sub(lambda _, text=text: text, accepted)
        with open(README, "w", encoding="utf-8") as file:
            file.write(accepted)

    failed = 0
    results = []
    for n, block in enumerate(blocks):
        got, wanted = printed.get(n, "nothing: psql did not get there\n"), block.group(2)
        results.append((f"line {readme.count(chr(10), 0, block.start()) + 1}: {block.group(1).split(chr(10))[0][:60]}",
                        got, got if wanted is None and not re.search(r"^(ERROR|FATAL):|nothing:", got, re.M) else wanted))
    for name, pattern, text in tables:
        table = pattern.search(readme)
        results.append((f"the table of {name}", text, table.group(0) if table else "none\n"))
    source = ""
    for path in glob.glob(os.path.join(TOP, "src/*/*.sql")) + glob.glob(os.path.join(TOP, "src/*/*.c")):
        with open(path, encoding="utf-8") as file:
            source += file.read()
    named = [name for names in CONSTRAINTS.findall(readme) for name in names.replace(",", " ").split()]
    unknown = [name for name in named if not re.search(rf"\b{name}\b", source)]
    results.append((f"the constraints that it names: {len(named)}", "\n".join(unknown), "" if named else "none named\n"))
    with open(os.path.join(TOP, "META.json"), encoding="utf-8") as file:
        meta = json.load(file)
    with open(os.path.join(TOP, "cec.control"), encoding="utf-8") as file:
        version = re.search(r"^default_version = '(.*)'", file.read(), re.M).group(1)
    results.append(("META.json names the version", f"{meta['version']} {meta['provides']['cec']['version']}", f"{version} {version}"))
    for n, (name, got, wanted) in enumerate(results, 1):
        print(f"{'ok' if got == wanted else 'not ok'} {n} - {name}")
        if got != wanted:
            failed += 1
            print("".join(f"#   got:    {line}\n" for line in got.splitlines()) +
                  "".join(f"#   README: {line}\n" for line in (wanted or "no error\n").splitlines()), end="")
    print(f"1..{len(results)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
