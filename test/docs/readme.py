#!/usr/bin/env python3
"""Runs what README.md and the pages of docs/ show and compares what is printed with what they say.

All pages share one database, named "tour" as they name it, in the order of PAGES; each has a session of psql of its own
(without lines CONTEXT, which tell where in the engine an error was raised).
  ```sql        runs in that session, in order
  ```sh         runs as a shell script, in the same order; src/ is at hand there
  ```crontab    so does the command of each line
  ```text       right behind one of these: what it prints. Without one it must not fail; a crontab prints nothing, else it
                would be mailed.
Blocks of SHOWN are only shown. No block is left out by mistake: one of another kind, indented, not closed, a text behind
nothing, SQL where it is not run, and a statement without its end are failures. Beyond that:
  - tables of rights and of what conditions may mention, and the entries of docs/reference.md, are those of the catalog;
    every public function, table and view has its entry;
  - the constraints that pages name are in the source, links lead somewhere, the picture is the one that is drawn from
    its text, and META.json names the version of cec.control.

With CEC_ACCEPT set the pages take what was printed: read it first. Prints TAP. Needs psql on the path and the usual PG*
variables; leaves no database and no roles behind.
"""
import glob
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
PAGES = ("README.md", "docs/concepts.md", "docs/registry.md", "docs/lists.md", "docs/changing-lists.md", "docs/coverage.md", "docs/conditions.md",
         "docs/regulations.md", "docs/findings.md", "docs/map.md", "docs/audit.md", "docs/events.md", "docs/access.md", "docs/metrics.md", "docs/recipes.md",
         "docs/operations.md", "docs/errors.md", "docs/reference.md",
         "docs/glossary.md", "CONTRIBUTING.md")
DATABASE = "tour"
SHOWN = ("ini", "console")
FENCE = re.compile(r"^([ >]*)(`{3,}|~{3,})(.*)$")
STATEMENT = re.compile(r"^\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|COPY|CREATE|ALTER|DROP|GRANT|REVOKE|SET|RESET|BEGIN|COMMIT|\\copy)\b")
BLOCK = re.compile(r"^```(sql|sh|crontab)\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.M | re.S)
REST = r".*\n(?:^\|.*\n)+"
CONSTRAINTS = re.compile(r"^\| [0-9A-Z, ]{5,} \| ([a-z_, ]+) \|", re.M)
ENTRIES = re.compile(r"^<!-- entries: (.*?) -->\n(.*?)^<!-- end -->\n", re.M | re.S)
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")

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
    SELECT format('| %s | %s | %s |', column_name, type, meaning) FROM cec.rule_column WHERE is_for_rules;"""

REQUIREMENTS = """
    SELECT format('| %s | %s | %s |', column_name, type, meaning) FROM cec.rule_column WHERE NOT is_for_rules;"""

FUNCTIONS = """
    SELECT format('| %s(%s) | %s | %s |', function_name, arguments, result, meaning) FROM cec.rule_function;"""

KINDS = """
    SELECT format('| %s | %s | %s | %s | %s |', kind, severity, CASE WHEN is_gap THEN 'yes' ELSE '' END, CASE WHEN depends_on_day THEN 'yes' ELSE '' END, meaning)
    FROM cec.finding_kind ORDER BY array_position('{error,warning,info}'::text[], severity), NOT is_gap, kind;"""

# A table of a page: what it is of, how its first line begins, its first lines, and the query that prints the others.
TABLES = (
    ("rights", "| | analyst ", "| | analyst | manager | registry | billing | auditor | admin |\n" + "| --- " * 7 + "|\n", RIGHTS),
    ("columns in conditions", "| column | type ", "| column | type | meaning |\n| --- | --- | --- |\n", COLUMNS),
    ("columns in requirements", "| column of regulations | type ", "| column of regulations | type | meaning |\n| --- | --- | --- |\n", REQUIREMENTS),
    ("kinds of findings", "| kind | severity ", "| kind | severity | gap | day | means |\n| --- | --- | --- | --- | --- |\n", KINDS),
    ("functions in conditions", "| function in conditions ",
     "| function in conditions | returns | meaning |\n| --- | --- | --- |\n", FUNCTIONS),
)

# What has an entry in docs/reference.md: public functions, tables, views and settings. Functions of the engine that a
# portfolio wraps, trigger functions, what CHECK constraints call and what only conditions may call have none.
REFERENCE = r"""
    SELECT CASE n.nspname WHEN 'cec' THEN 'cec.' ELSE '' END || p.proname AS name,
        format(E'**`%s%s(%s)`** → %s  \n%s', CASE n.nspname WHEN 'cec' THEN 'cec.' ELSE '' END, p.proname,
            regexp_replace(replace(pg_get_function_arguments(p.oid), 'timestamp with time zone', 'timestamptz'), '(NULL|''\{\}'')::[a-z\[\]]+|, OUT \w+ \w+', '\1', 'g'),
            CASE WHEN p.prorettype = 'record'::regtype THEN '`' || (
                    SELECT string_agg(a.name || ' ' || replace(format_type(a.type, NULL), 'timestamp with time zone', 'timestamptz'), ', ' ORDER BY a.place)
                    FROM unnest(p.proargnames, p.proallargtypes, p.proargmodes) WITH ORDINALITY AS a(name, type, mode, place)
                    WHERE a.mode IN ('o', 't')) || '`'
                WHEN p.prorettype IN (SELECT reltype FROM pg_class WHERE relkind = 'c') THEN '`' || (
                    SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
                    FROM pg_attribute a JOIN pg_type t ON t.typrelid = a.attrelid WHERE t.oid = p.prorettype AND NOT a.attisdropped) || '`'
                WHEN p.proretset THEN 'rows of `' || (SELECT typname FROM pg_type t WHERE t.oid = p.prorettype) || '`'
                WHEN p.prorettype = 'void'::regtype THEN 'nothing' ELSE format_type(p.prorettype, NULL) END,
            replace(replace(CASE WHEN p.proname ~ '^mvt_' THEN obj_description(p.oid, 'pg_proc')::json ->> 'description' ELSE obj_description(p.oid, 'pg_proc') END, '<', '&lt;'), '|', '\|')) AS entry
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('cec', 'plant') AND p.proname !~ '^(_|refuse_?)' AND p.prorettype <> 'trigger'::regtype
        AND (n.nspname = 'plant' OR p.proargtypes[0] IS DISTINCT FROM 'regnamespace'::regtype OR p.proname = 'today')
        AND obj_description(p.oid, 'pg_proc') !~ 'Called by|^In conditions'
    UNION ALL
    SELECT CASE n.nspname WHEN 'cec' THEN 'cec.' ELSE '' END || c.relname,
        format(E'**`%s%s`** %s  \n%s', CASE n.nspname WHEN 'cec' THEN 'cec.' ELSE '' END, c.relname,
            '(' || (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) || ')',
            replace(obj_description(c.oid, 'pg_class'), '<', '&lt;'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('cec', 'plant') AND c.relkind IN ('r', 'v', 'p') AND c.relname !~ '^_'
    UNION ALL
    SELECT s.name, format(E'**`%s`** (default %s)  \n%s', s.name,
            CASE s.boot_val WHEN '' THEN 'none' ELSE s.boot_val || coalesce(s.unit, '') END, concat_ws(' ', s.short_desc, s.extra_desc))
    FROM pg_settings s WHERE s.name LIKE 'cec.%'
    ORDER BY 1"""


def psql(text, database=DATABASE, *options, cwd=None):
    done = subprocess.run(["psql", "-X", "-q", "-d", database, *options], input=text, encoding="utf-8", cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return re.sub(r" +$", "", done.stdout, flags=re.M)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(os.path.join(TOP, path), "w", encoding="utf-8") as file:
        file.write(text)


def clean_up(roles):
    psql(f"DROP DATABASE IF EXISTS {DATABASE};\n" + "".join(f"DROP ROLE IF EXISTS {role};\n" for role in roles), "postgres")


def run(page, text, folder):
    """What each block of a page prints, by its number."""
    script = "SET client_min_messages = notice;\n\\set SHOW_CONTEXT never\n"
    for n, block in enumerate(BLOCK.finditer(text)):
        kind, body = block.group(1), block.group(2)
        script += f"\\echo @@@{n}\n"
        if kind == "crontab":
            body = "".join(re.sub(r"^(\S+ +){5}", "", line) + "\n" for line in body.splitlines() if not line.startswith("#"))
        if kind == "sql":
            script += body
        else:
            name = f"{os.path.basename(page)}.{n}"
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("set -e\n" + body)
            script += f"\\! sh {name} >{name}.out 2>&1 || echo \"ERROR:  status $?\" >>{name}.out\n"
    printed = {int(n): out.strip("\n") + "\n" for n, out in
               re.findall(r"^@@@(\d+)\n(.*?)(?=^@@@|\Z)", psql(script, cwd=folder), re.M | re.S)}
    for n in printed:
        path = os.path.join(folder, f"{os.path.basename(page)}.{n}.out")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                printed[n] += re.sub(r" +$", "", file.read(), flags=re.M).strip("\n") + "\n"
                printed[n] = printed[n].strip("\n") + "\n"
    return printed


def left_out(text):
    """What stands in code blocks of a page and is not run, or not compared, though it looks like it: with its line."""
    taken = {}
    for block in BLOCK.finditer(text):
        taken[text.count("\n", 0, block.start()) + 1] = block.group(1)
        if block.group(3) is not None:
            taken[text.count("\n", 0, block.start(3))] = "text"
        if block.group(1) == "sql":
            last = [line for line in block.group(2).split("\n") if line and not line.startswith("--")][-1:] or [""]
            if not re.search(r"^\\|\\g|;( *--.*)?$", last[0]):
                yield f"{text.count(chr(10), 0, block.end(2))}: a statement without its end: {last[0]}"
    opened, kind, before = None, None, ""
    for n, line in enumerate(text.split("\n"), 1):
        fence = FENCE.match(line)
        if opened and line.strip() == opened[1]:
            opened = None
        elif not opened and fence:
            opened, kind = (n, fence.group(2)), fence.group(3)
            if taken.get(n) != kind and (fence.group(1) or fence.group(2) != "```" or kind not in SHOWN):
                yield f"{n}: {line.strip()}: neither run, compared nor only shown"
        elif STATEMENT.match(line) and (kind in SHOWN if opened else re.match(r" {4}|\t", line) and not before.strip()):
            yield f"{n}: SQL that is not run: {line.strip()}"
        before = line
    if opened:
        yield f"{opened[0]}: a block without an end"


def accepted(text, printed, tables, reference):
    n = -1

    def take(block):
        nonlocal n
        n += 1
        shown = "" if block.group(3) is None else f"\n```text\n{printed[n]}```\n"
        return f"```{block.group(1)}\n{block.group(2)}```\n{shown}"

    text = BLOCK.sub(take, text)
    for _, pattern, table in tables:
        text = pattern.sub(lambda _, table=table: table, text)
    return ENTRIES.sub(lambda found: f"<!-- entries: {found.group(1)} -->\n{entries(found.group(1), reference)}<!-- end -->\n", text)


def entries(names, reference):
    return "\n" + "".join(reference.get(name, f"{name}: no such thing") + "\n\n" for name in re.split(r"[,\s]+", names))


def anchors(text):
    """What the headings of a page are called in links."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def broken_links(page, text):
    for path, anchor in LINK.findall(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(TOP, target)):
            yield f"{path}: not there"
        elif anchor and anchor not in anchors(read(target)):
            yield f"{path}#{anchor}: no such heading"


def undrawn(concepts):
    """Ranges of cover in the picture that the page does not print, and the other way round."""
    picture = runpy.run_path(os.path.join(TOP, "docs/cover.py"))
    drawn = {(what.split()[1].upper(), first, after - timedelta(1)) for what, how, ranges in picture["lines"]() if how == "cover"
             for first, after, *_ in ranges}
    shown = {(asset, date.fromisoformat(first), date.fromisoformat(last)) for asset, first, last in
             re.findall(r"^ (PUMP|MOTOR) +\| (\S+) \| (\S+) ", concepts, re.M)}
    return sorted(f"{asset} {first} to {last}" for asset, first, last in drawn ^ shown)


def main():
    pages = {page: read(page) for page in PAGES}
    roles = sorted({role for text in pages.values() for role in re.findall(r"^CREATE ROLE (\w+)", text, re.M)})
    folder = tempfile.mkdtemp(prefix="cec-docs.")
    os.symlink(os.path.join(TOP, "src"), os.path.join(folder, "src"))
    os.symlink(os.path.join(TOP, "test"), os.path.join(folder, "test"))
    os.symlink(os.path.join(TOP, "docs"), os.path.join(folder, "docs"))
    clean_up(roles)
    psql(f"CREATE DATABASE {DATABASE};", "postgres")
    printed = {page: run(page, text, folder) for page, text in pages.items()}
    tables = [(name, re.compile("^" + re.escape(begin) + REST, re.M), head + psql(query, DATABASE, "-A", "-t"))
              for name, begin, head, query in TABLES]
    raw = psql(f"LOAD 'cec';\nSELECT json_object_agg(name, entry) FROM ({REFERENCE}) AS r;", DATABASE, "-A", "-t")
    if not raw.startswith("{"):
        sys.exit(f"the catalog cannot be read: {raw}")
    reference = json.loads(raw)
    clean_up(roles)
    shutil.rmtree(folder)

    if os.environ.get("CEC_ACCEPT"):
        for page, text in pages.items():
            write(page, accepted(text, printed[page], tables, reference))

    results = []
    for page, text in pages.items():
        for n, block in enumerate(BLOCK.finditer(text)):
            got, wanted = printed[page].get(n, "nothing: psql did not get there\n"), block.group(3)
            if wanted is None and block.group(1) == "crontab":
                wanted = "\n"
            elif wanted is None and not re.search(r"^(psql:.*)?(ERROR|FATAL|WARNING):|nothing:", got, re.M):
                wanted = got
            results.append((f"{page}:{text.count(chr(10), 0, block.start()) + 1}: {block.group(2).split(chr(10))[0][:60]}", got, wanted))
        results.append((f"{page}: no block is left out by mistake", "\n".join(left_out(text)), ""))
        results.append((f"{page}: links", "\n".join(broken_links(page, text)), ""))
    everything = "".join(pages.values())
    for name, pattern, text in tables:
        table = pattern.search(everything)
        results.append((f"the table of {name}", text, table.group(0) if table else "none\n"))

    named = []
    for names, text in ENTRIES.findall(everything):
        named += re.split(r"[,\s]+", names)
        results.append((f"the entries of {names[:60]}", entries(names, reference), text))
    results.append(("an entry for each function, table, view and setting",
                    "\n".join(sorted(set(reference) ^ set(named)) + sorted(name for name in set(named) if named.count(name) > 1)), ""))

    source = "".join(read(path) for path in glob.glob(os.path.join(TOP, "src/*/*.sql")) + glob.glob(os.path.join(TOP, "src/*/*.c")))
    constraints = [name for names in CONSTRAINTS.findall(pages["docs/errors.md"]) for name in names.replace(",", " ").split()]
    unknown = [name for name in constraints if not re.search(rf"\b{name}\b", source)]
    results.append((f"the constraints that they name: {len(constraints)}", "\n".join(unknown), "" if constraints else "none named\n"))
    unlisted = {os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, "docs/*.md"))} - set(PAGES)
    results.append(("each page of docs is run", "\n".join(sorted(unlisted)), ""))
    meta = json.loads(read("META.json"))
    version = re.search(r"^default_version = '(.*)'", read("cec.control"), re.M).group(1)
    results.append(("docs/cover.svg is what docs/cover.py draws",
                    subprocess.run([sys.executable, os.path.join(TOP, "docs/cover.py")], check=True, encoding="utf-8", stdout=subprocess.PIPE).stdout,
                    read("docs/cover.svg")))
    results.append(("and its ranges of cover are those of docs/concepts.md", "\n".join(undrawn(pages["docs/concepts.md"])), ""))
    results.append(("META.json names the version", f"{meta['version']} {meta['provides']['cec']['version']}", f"{version} {version}"))

    failed = 0
    for n, (name, got, wanted) in enumerate(results, 1):
        print(f"{'ok' if got == wanted else 'not ok'} {n} - {name}")
        if got != wanted:
            failed += 1
            print("".join(f"#   got:    {line}\n" for line in got.splitlines()) +
                  "".join(f"#   page:   {line}\n" for line in (wanted or "").splitlines() or ["nothing, and no error"]), end="")
    print(f"1..{len(results)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
