#!/usr/bin/env python3
"""Findings on a real register: of each kind those, and only those, that the files say.

The register (CEC_DATA/register-2024-08.csv) becomes assets, the name of a plant its serial number, its technology the
manufacturer; each country gets a contract with its outline as boundary, and each outline is a jurisdiction.  All that still
lives in 2024 is listed from then on.  Which findings that makes is computed here from the files alone: places inside of
outlines by a ray of our own, identifier keys by the rule of the documents, from whole lives of plants.

Then a hundred plants lose their place, those of a country turn out to have been gone before their lines began, and somebody
walks the field with the register of the month after: what is new there is unknown here, and what is gone there was not seen.
After each step what is open is what the views of the kinds list, word by word, and what was computed here; the statements
alone do it, so refresh() finds nothing left to do.

Prints TAP.  Needs psql on the path and the usual PG* variables; CEC_DATA is the folder of the files.
"""
import collections
import datetime
import itertools
import json
import os
import sys
import time

import register
from register import FOLDER, asset_row, comment, copy_text, is_equal, lives_backwards, read_register, year
from rules import Box, read_outlines

DATABASE = "real_findings"
FIRST_YEAR = 2024  # when lines begin; they have no end
FEW = 20  # assets with one key are paired, as long as they are not more
GONE = "PT"  # the country whose plants turn out to be gone
ASSET_COLUMNS = register.ASSET_COLUMNS + ", serial_number, manufacturer"


def run(sql, rows=None):
    return register.run(sql, rows, database=DATABASE)


# The facts of this test: what it has stored, and as the register says it.

class Plant:
    """A plant as an asset; only what findings are about."""

    def __init__(self, row, outlines):
        self.row = row
        self.tag, self.name, self.country = row["asset_tag"], row["name"], row["country"]
        self.manufacturer = row["technology"] or None
        first, last = year(row["commissioned"]), year(row["decommissioned"])
        self.first_day = datetime.date(first, 1, 1) if first else None
        self.last_day = datetime.date(last, 12, 31) if last else None
        self.is_listed = False
        self.is_placed = True
        self.is_seen = False
        self.stands_in = {country for country, outline in outlines.items() if row in outline}

    def is_listable(self):
        return self.last_day is None or self.last_day.year >= FIRST_YEAR

    def is_covered(self, today):
        return self.is_listed and (self.first_day is None or self.first_day <= today) and (
            self.last_day is None or today <= self.last_day)


def identifier_key(text):
    """Design 6: what people confuse reads the same."""
    key = ""
    for char in text:
        if "\uff01" <= char <= "\uff5e":
            char = chr(ord(char) - 0xff01 + 0x21)
        if "a" <= char <= "z":
            char = chr(ord(char) - 32)
        if char.isspace() or char in "-.\u2010\u2011\u2012\u2013\u2014\u2015\u2212":
            continue
        key += {"O": "0", "I": "1", "L": "1"}.get(char, char)
    return key


def alike(plants):
    """Pairs of plants of which a tag or a name has the same key; and those that have a key of more than a few."""
    of_key = collections.defaultdict(dict)
    for plant in plants:
        for text in (plant.tag, plant.name):
            if len(key := identifier_key(text)) >= 5:
                of_key[key][plant.tag] = plant
    pairs, crowd = set(), {}
    for same in of_key.values():
        if len(same) > FEW:
            for tag in same:
                crowd[tag] = max(crowd.get(tag, 0), len(same))
        else:
            pairs |= {frozenset((one.tag, other.tag)) for one, other in itertools.combinations(same.values(), 2)
                      if None in (one.manufacturer, other.manufacturer) or one.manufacturer == other.manufacturer}
    return pairs, crowd


def computed(plants, unknown, today):
    """Of each kind what is to be found: (tag, number of the contract, subject)."""
    found = collections.defaultdict(set)
    seen_of = {plant.country for plant in plants if plant.is_seen and plant.is_covered(today)}
    begins = datetime.date(FIRST_YEAR, 1, 1)
    for plant in plants:
        contract = "PLANT-" + plant.country
        covered = plant.is_covered(today)
        if covered and plant.first_day is None:
            found["no_commissioning_date"].add((plant.tag, "", ""))
        if covered and plant.is_placed and plant.country not in plant.stands_in:
            found["covered_outside_boundary"].add((plant.tag, contract, ""))
        if plant.is_placed and plant.stands_in and plant.country not in plant.stands_in:
            found["country_mismatch"].add((plant.tag, "", ""))
        if plant.is_listed and not plant.is_placed:
            found["no_location"].add((plant.tag, contract, ""))
        if plant.is_listed and plant.last_day is not None:
            kind = "decommissioned_before_activation" if plant.last_day < begins else "outlives_decommissioning"
            found[kind].add((plant.tag, contract, ""))
        if plant.is_listed and plant.first_day is not None and plant.first_day > begins:
            found["starts_before_commissioning"].add((plant.tag, contract, ""))
        if covered and not plant.is_seen and plant.country in seen_of:
            found["covered_not_deployed"].add((plant.tag, contract, ""))
    pairs, crowd = alike(plants)
    found["duplicate_in_register"] = {(" + ".join(sorted(pair)), "", "") for pair in pairs} | {(tag, "", "") for tag in crowd}
    if unknown:
        found["not_in_register"] = {("", "", "seen:" + tag) for tag in unknown}
    return dict(found), crowd


# What the database says.

OPEN = "FROM fleet.finding WHERE closed_at IS NULL"
COLUMNS = ("severity, asset_id, other_asset_id, contract_id, term_id, rule_id, subject, first_day, last_day, detail, message")


def differing():
    """What is open and not in the views, and what is in the views and not open: of each kind how much."""
    kinds = [line[0] for line in run("SELECT kind FROM cec.finding_kind WHERE hears <> '{}';")]
    views = " UNION ALL ".join(f"SELECT '{kind}' AS kind, {COLUMNS} FROM fleet._finding_{kind}" for kind in kinds)
    return run(f"SET jit = off;CREATE TEMPORARY TABLE now AS {views};"
               f"CREATE TEMPORARY TABLE open AS SELECT kind, {COLUMNS} {OPEN};"
               "SELECT 'open only', kind, count(*) FROM (TABLE open EXCEPT ALL TABLE now) AS o GROUP BY 2"
               " UNION ALL SELECT 'in the view only', kind, count(*) FROM (TABLE now EXCEPT ALL TABLE open) AS n GROUP BY 2;")


def found_open():
    """As computed() has them."""
    found = collections.defaultdict(set)
    rows = run("SELECT f.kind, coalesce(concat_ws(' + ', least(a.asset_tag, o.asset_tag), CASE WHEN o.asset_tag IS NOT NULL"
               " THEN greatest(a.asset_tag, o.asset_tag) END), ''), coalesce(c.number, ''), f.subject FROM fleet.finding f"
               " LEFT JOIN fleet.asset a USING (asset_id) LEFT JOIN fleet.asset o ON o.asset_id = f.other_asset_id"
               " LEFT JOIN fleet.contract c USING (contract_id) WHERE f.closed_at IS NULL;")
    for kind, *subject in rows:
        found[kind].add(tuple(subject))
    is_equal("  each once", sum(map(len, found.values())), len(rows))
    return dict(found)


def is_as_computed(name, plants, unknown, today):
    wanted, crowd = computed(plants, unknown, today)
    stored = found_open()
    is_equal(f"{name}: findings of each kind, counted", {kind: len(rows) for kind, rows in sorted(stored.items())},
             {kind: len(rows) for kind, rows in sorted(wanted.items())})
    comment(", ".join(f"{kind} {len(rows)}" for kind, rows in sorted(wanted.items())))
    is_equal("  and about these", {kind: sorted(stored.get(kind, set()) ^ wanted.get(kind, set()))[:3]
                                   for kind in set(stored) | set(wanted)
                                   if stored.get(kind, set()) != wanted.get(kind, set())}, {})
    is_equal("  what is open is what the views list", differing(), [])
    is_equal("  of keys on many assets the count", {tag: int(number) for tag, number in run(
        "SELECT a.asset_tag, f.detail ->> 'assets' FROM fleet.finding f JOIN fleet.asset a USING (asset_id)"
        " WHERE f.kind = 'duplicate_in_register' AND f.other_asset_id IS NULL AND f.closed_at IS NULL;")},
             {tag: min(number, 100) for tag, number in crowd.items()})


def nothing_is_left():
    """Not a row of finding is written by refresh."""
    rows = "SELECT count(*), count(closed_at), max(finding_id) FROM fleet.finding;"
    before = run(rows)
    run("SELECT fleet.refresh();")
    is_equal("  refresh() opens and closes nothing", run(rows), before)


# The steps.

def load(plants, outlines):
    run("INSERT INTO fleet.customer (name) VALUES ('Operators');")
    shape = "ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(o.shape), 4326)), 3))"
    run("CREATE TEMPORARY TABLE outline (country text, shape text);COPY outline FROM STDIN;\n"
        + copy_text((country, json.dumps(outline)) for country, outline in sorted(outlines.items())) + "\\.\n"
        f"INSERT INTO fleet.jurisdiction (country, name, boundary) SELECT country, 'Outline of ' || country, {shape} FROM outline o;"
        "INSERT INTO fleet.contract (number, customer_id, status, during, boundary)"
        f" SELECT 'PLANT-' || country, customer_id, 'active', '[{FIRST_YEAR}-01-01,)', {shape} FROM outline o, fleet.customer;"
        "INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM fleet.contract;")
    started = time.monotonic()
    run(f"COPY fleet.asset ({ASSET_COLUMNS}) FROM STDIN;",
        (asset_row(plant.row) + (plant.name, plant.manufacturer) for plant in plants))
    comment(f"COPY of {len(plants)} assets with what is wrong in the register: {time.monotonic() - started:.1f} s")


def list_all(plants):
    terms = dict(run("SELECT c.number, t.term_id FROM fleet.contract c JOIN fleet.coverage_term t USING (contract_id);"))
    copy = "COPY fleet.inclusion (term_id, listed_as, during) FROM STDIN;"
    lines = [(terms["PLANT-" + plant.country], plant.tag, f"[{FIRST_YEAR}-01-01,)") for plant in plants]
    gone = [plant for plant in plants if not plant.is_listable()]
    register.DATABASE = DATABASE
    try:
        run(copy, lines)
        got = ("stored",)
    except register.Refused as refusal:
        got = (refusal.constraint, refusal.message)
    is_equal(f"{len(gone)} plants that were gone before {FIRST_YEAR}: refused", got,
             ("inclusion_asset_not_decommissioned", f"{len(gone)} of {len(plants)} list lines are refused"))
    started = time.monotonic()
    run(copy, [line for line, plant in zip(lines, plants) if plant.is_listable()])
    comment(f"COPY of {len(plants) - len(gone)} list lines with what is wrong with them: {time.monotonic() - started:.1f} s")
    for plant in plants:
        plant.is_listed = plant.is_listable()


def change(sql, plants):
    """Runs SQL that speaks of changed(asset_tag)."""
    run("CREATE TEMPORARY TABLE changed (asset_tag text COLLATE \"C\");COPY changed FROM STDIN;\n"
        + copy_text([plant.tag] for plant in plants) + "\\.\nANALYZE changed;" + sql)


def take_places(plants):
    for plant in plants:
        plant.is_placed = False
    change("UPDATE fleet.asset a SET location = NULL FROM changed c WHERE a.asset_tag = c.asset_tag;", plants)


def give_places(plants):
    for plant in plants:
        plant.is_placed = True
    run("CREATE TEMPORARY TABLE place (asset_tag text COLLATE \"C\", location geometry);COPY place FROM STDIN;\n"
        + copy_text((plant.tag, asset_row(plant.row)[4]) for plant in plants) + "\\.\n"
        "UPDATE fleet.asset a SET location = p.location FROM place p WHERE a.asset_tag = p.asset_tag;")


def were_gone(plants):
    for plant in plants:
        plant.last_day = datetime.date(FIRST_YEAR - 1, 12, 31)
    change(f"UPDATE fleet.asset a SET decommissioned_on = '{FIRST_YEAR - 1}-12-31' FROM changed c WHERE a.asset_tag = c.asset_tag;", plants)


def walk(plants, seen):
    """Somebody sees all tags of the next register; those that name nothing are returned."""
    run("CREATE TEMPORARY TABLE seen (tag text COLLATE \"C\");COPY seen FROM STDIN;\n" + copy_text([tag] for tag in sorted(seen)) + "\\.\n"
        "INSERT INTO fleet.field_observation (asset_id, seen_tag, observed_at, source)"
        " SELECT a.asset_id, s.tag, now(), 'walk' FROM seen s LEFT JOIN fleet.asset a ON a.asset_tag = s.tag;")
    for plant in plants:
        plant.is_seen = plant.tag in seen
    return seen - {plant.tag for plant in plants} - {plant.name for plant in plants}


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    if not os.path.isfile(os.path.join(FOLDER, "register-2024-08.csv")):
        print("ok - findings on a real register # SKIP the folder ../shared/data is not beside the project")
        return 0
    started = time.monotonic()
    register.run(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);\nCREATE DATABASE {DATABASE};", database="postgres")
    run("CREATE EXTENSION cec CASCADE;SELECT cec.create_portfolio('fleet');")

    outlines = read_outlines()
    boxes = {country: Box(shape) for country, shape in outlines.items()}
    august = read_register("08")
    comment(f"plants without a year of commissioning: {sum(not row['commissioned'] for row in august)} of {len(august)}, and"
            f" {sum(year(row['commissioned']) == 0 for row in august)} of the year 0")
    plants = [Plant(row, boxes) for row in august if not lives_backwards(row)]
    comment(f"{time.monotonic() - started:.1f} s to find places in outlines")
    today = datetime.date.fromisoformat(run("SELECT cec.today('fleet');")[0][0])

    load(plants, outlines)
    is_as_computed("the register", plants, set(), today)
    list_all(plants)
    is_as_computed("the list", plants, set(), today)
    nothing_is_left()

    listed = [plant for plant in plants if plant.is_listed]
    lost = listed[::len(listed) // 100][:100]
    take_places(lost)
    is_as_computed("100 places forgotten", plants, set(), today)

    were_gone([plant for plant in listed if plant.country == GONE
               and (plant.first_day is None or plant.first_day.year < FIRST_YEAR)])
    is_as_computed(f"what stands in {GONE} was gone before its lines began", plants, set(), today)

    unknown = walk(plants, {row["asset_tag"] for row in read_register("09")})
    is_as_computed("a walk with the next register", plants, unknown, today)
    nothing_is_left()

    give_places(lost)
    is_as_computed("100 places known again", plants, unknown, today)
    comment(f"{time.monotonic() - started:.0f} s in all")
    print(f"1..{register.tests}")
    return 1 if register.failed else 0


if __name__ == "__main__":
    sys.exit(main())
