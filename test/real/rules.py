#!/usr/bin/env python3
"""Rules over a real register: by country, fuel, capacity, age and boundary; each matches what the files say.

Half of the register (CEC_DATA/register-2024-08.csv) is there when the rules are added, the other half comes after them,
and then the register of the month after: so every rule is run in both ways, set-based and compiled.  What it is to match
is computed here from the files alone, places inside of outlines by a ray of our own.

Prints TAP.  Needs psql on the path and the usual PG* variables; CEC_DATA is the folder of the files.
"""
import datetime
import decimal
import json
import os
import sys
import time

import register
from register import FOLDER, asset_row, comment, is_equal, lives_backwards, read_register, year

DATABASE = "real_rules"


def run(sql, rows=None):
    return register.run(sql, rows, database=DATABASE)


# The outlines.  A place is inside when a ray from it to the east crosses the rings an odd number of times.

def read_outlines():
    with open(os.path.join(FOLDER, "countries-europe.geojson"), encoding="utf-8") as file:
        return {feature["properties"]["iso"]: feature["geometry"] for feature in json.load(file)["features"]}


def rings_of(shape):
    polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    return [ring for polygon in polygons for ring in polygon]


def is_inside(rings, x, y):
    inside = False
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
    return inside


class Box:
    """An outline that looks at its frame first."""

    def __init__(self, shape):
        self.rings = rings_of(shape)
        xs, ys = zip(*(point for ring in self.rings for point in ring))
        self.frame = min(xs), min(ys), max(xs), max(ys)

    def __contains__(self, plant):
        x, y = float(plant["lon"]), float(plant["lat"])
        left, low, right, high = self.frame
        return left <= x <= right and low <= y <= high and is_inside(self.rings, x, y)


def age(plant, today):
    first = year(plant["commissioned"])
    return max(today.year - first, 0) if first else None


def megawatts(plant):
    return decimal.Decimal(repr(float(plant["capacity_mw"])))


def below(value, bound):
    return value is not None and value < bound


def rules_of(outlines, today):
    """Of each contract (None: the one without outline) its conditions, and what a plant must be to meet them."""
    coal = ("Hard Coal", "Lignite")
    rules = [
        (None, "country = 'DE'", lambda p: p["country"] == "DE"),
        (None, "country IN ('FR', 'ES', 'PT')", lambda p: p["country"] in ("FR", "ES", "PT")),
        (None, "country NOT IN ('FR', 'ES', 'PT')", lambda p: p["country"] not in ("FR", "ES", "PT")),
        (None, "attributes ->> 'fuel' = 'Nuclear'", lambda p: p["fuel"] == "Nuclear"),
        (None, "attributes ->> 'fuel' IN ('Hard Coal', 'Lignite') AND status <> 'retired'",
         lambda p: p["fuel"] in coal and register.status_of(p) != "retired"),
        (None, "attributes @> '{\"fuel\": \"Hydro\"}' AND category = 'Store'",
         lambda p: p["fuel"] == "Hydro" and p["plant_type"] == "Store"),
        (None, "attributes ? 'technology'", lambda p: bool(p["technology"])),
        (None, "lower(attributes ->> 'name') LIKE '%kraftwerk%'", lambda p: "kraftwerk" in p["name"].lower()),
        (None, "as_number(attributes ->> 'capacity_mw') >= 100", lambda p: megawatts(p) >= 100),
        (None, "(attributes ->> 'capacity_mw')::numeric BETWEEN 9.5 AND 10.5",
         lambda p: decimal.Decimal("9.5") <= megawatts(p) <= decimal.Decimal("10.5")),
        (None, "age_years < 12", lambda p: below(age(p, today), 12)),
        (None, "NOT age_years < 12", lambda p: age(p, today) is not None and age(p, today) >= 12),
        (None, "age_years IS NULL", lambda p: age(p, today) is None),
        (None, "as_of > decommissioned_on",
         lambda p: bool(year(p["decommissioned"])) and today > datetime.date(year(p["decommissioned"]), 12, 31)),
        (None, "decommissioned_on > as_of AND country = 'PL'",
         lambda p: p["country"] == "PL" and bool(year(p["decommissioned"]))
         and today < datetime.date(year(p["decommissioned"]), 12, 31)),
        (None, "inside_boundary IS NULL", lambda p: True),
        ("DE", "NOT inside_boundary AND country = 'DE'", lambda p: p["country"] == "DE" and p not in outlines["DE"]),
        ("AT", "country IN ('DE', 'AT') AND attributes ->> 'fuel' = 'Hydro' AND age_years < 60"
               " AND as_number(attributes ->> 'capacity_mw') > 20 AND inside_boundary",
         lambda p: p["country"] in ("DE", "AT") and p["fuel"] == "Hydro" and below(age(p, today), 60)
         and megawatts(p) > 20 and p in outlines["AT"]),
        ("CH", "distance_to_boundary_m = 0", lambda p: p in outlines["CH"]),
    ]
    rules += [(country, "inside_boundary", lambda p, outline=outline: p in outline) for country, outline in outlines.items()]
    return rules


def compare(name, plants, rules):
    """The tags that each rule acts on, against those of the plants that meet it."""
    stored = {}
    for number, tag in run("SELECT r.name, a.asset_tag FROM fleet.coverage_rule r JOIN fleet.rule_effect e USING (rule_id)"
                           " JOIN fleet.asset a USING (asset_id) WHERE e.during @> cec.today('fleet');"):
        stored.setdefault(int(number), set()).add(tag)
    pairs = 0
    for number, (country, condition, is_met) in enumerate(rules):
        wanted = {plant["asset_tag"] for plant in plants if is_met(plant)}
        got = stored.get(number, set())
        pairs += len(wanted)
        is_equal(f"{name}: {condition[:60]}{' (' + country + ')' if country else ''}: {len(wanted)}",
                 sorted(got ^ wanted)[:5], [])
    is_equal(f"{name}: verify_coverage finds nothing", run("SELECT * FROM fleet.verify_coverage();"), [])
    is_equal(f"{name}: covered by rules", int(run("SELECT count(*) FROM fleet.rule_effect;")[0][0]), pairs)


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    if not os.path.isfile(os.path.join(FOLDER, "register-2024-08.csv")):
        print("ok - rules over real registers # SKIP the folder ../shared/data is not beside the project")
        return 0
    started = time.monotonic()
    register.run(f"DROP DATABASE IF EXISTS {DATABASE};\nCREATE DATABASE {DATABASE};", database="postgres")
    run("CREATE EXTENSION cec CASCADE;SELECT cec.create_portfolio('fleet');")
    # The portfolio is where it is noon, so that no day ends meanwhile.
    run("UPDATE fleet.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');")
    today = datetime.date.fromisoformat(run("SELECT cec.today('fleet');")[0][0])
    august = [plant for plant in read_register("08") if not lives_backwards(plant)]
    shapes = read_outlines()
    outlines = {country: Box(shape) for country, shape in shapes.items()}
    rules = rules_of(outlines, today)

    run("INSERT INTO fleet.customer (name) VALUES ('Operators');"
        "INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('ALL', 1, 'active', '(,)');"
        "CREATE TEMPORARY TABLE outline (country text, shape text);COPY outline FROM STDIN;\n"
        + register.copy_text((country, json.dumps(shape)) for country, shape in shapes.items()) + "\\.\n"
        "INSERT INTO fleet.contract (number, customer_id, status, during, boundary) SELECT country, 1, 'active', '(,)',"
        " ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(shape), 4326)), 3)) FROM outline;"
        "INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM fleet.contract;"
        "UPDATE fleet.setting SET duplicates_allowed = true;")
    copy = f"COPY fleet.asset ({register.ASSET_COLUMNS}) FROM STDIN;"
    run(copy, map(asset_row, august[::2]))
    added = time.monotonic()
    run("CREATE TEMPORARY TABLE typed (name text, contract text, condition text);COPY typed FROM STDIN;\n"
        + register.copy_text((number, country or "ALL", condition) for number, (country, condition, _) in enumerate(rules))
        + "\\.\nINSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during)"
          " SELECT t.term_id, y.name, 'include', y.condition, '(,)' FROM typed y JOIN fleet.contract c ON c.number = y.contract"
          " JOIN fleet.coverage_term t USING (contract_id);")
    comment(f"{len(rules)} rules over {len(august[::2])} assets: {time.monotonic() - added:.2f} s")
    compare("half of the register, then the rules", august[::2], rules)
    added = time.monotonic()
    run(copy, map(asset_row, august[1::2]))
    comment(f"COPY of {len(august[1::2])} assets under {len(rules)} rules: {time.monotonic() - added:.2f} s")
    compare("then the other half", august, rules)

    september = {plant["asset_tag"]: plant for plant in read_register("09") if not lives_backwards(plant)}
    known = {plant["asset_tag"] for plant in august}
    columns = register.ASSET_COLUMNS.split(", ")[1:]
    changed = "CREATE TEMPORARY TABLE newer AS SELECT {0} FROM fleet.asset LIMIT 0;COPY newer FROM STDIN;\n".format(
        register.ASSET_COLUMNS) + register.copy_text(map(asset_row, september.values())) + "\\.\n"
    moved = run(changed + f"""
        WITH n AS (UPDATE fleet.asset a SET ({', '.join(columns)}) = ROW({', '.join('n.' + c for c in columns)}) FROM newer n
            WHERE n.asset_tag = a.asset_tag AND ({', '.join('a.' + c for c in columns)}) IS DISTINCT FROM ({', '.join('n.' + c for c in columns)})
            RETURNING 1)
        SELECT count(*) FROM n;
        INSERT INTO fleet.asset ({register.ASSET_COLUMNS}) SELECT {register.ASSET_COLUMNS} FROM newer n
            WHERE NOT EXISTS (SELECT FROM fleet.asset a WHERE a.asset_tag = n.asset_tag);""")
    comment(f"a month later: {moved[0][0]} assets changed, {len(set(september) - known)} are new")
    plants = [september.get(plant["asset_tag"], plant) for plant in august]
    plants += [plant for tag, plant in september.items() if tag not in known]
    compare("the register of the month after", plants, rules)
    comment(f"{time.monotonic() - started:.0f} s in all")
    print(f"1..{register.tests}")
    return 1 if register.failed else 0


if __name__ == "__main__":
    sys.exit(main())
