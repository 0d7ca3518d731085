#!/usr/bin/env python3
"""The map of a real register: places inside and outside of outlines, and pictures of three countries, against an independent count.

The register (CEC_DATA/register-2024-08.csv) becomes assets; three countries get a contract with their outline as boundary, whose list has
two thirds of their plants, for all days or a part of them, and some carve-outs.  What stands where is computed here: a ray from each
plant through the rings of the outline, once by doubles and once by fractions, which are exact.  What a plant is on the day is computed
from the file and the list.

Edge cases, tried on rings of our own: on an edge, on a corner, level with a corner, in a hole, on its edge, on an edge that two areas
share, on the far side of 180 degrees.

Prints TAP.  Needs psql on the path and the usual PG* variables; CEC_DATA is the folder of the files.
"""
import collections
import datetime
import fractions
import json
import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree

import register
from register import FOLDER, asset_row, comment, copy_text, is_equal, lives_backwards, read_register, year

DATABASE = "real_map"
COUNTRIES = ("DE", "NO", "PT")
DAY = datetime.date(2026, 7, 15)
STATUSES = ("covered", "covered_by_bundle", "covered_by_rule", "not_in_service", "excluded", "uncovered")
SVG = "{http://www.w3.org/2000/svg}"


def run(sql, rows=None):
    return register.run(sql, rows, database=DATABASE)


def rings_of(geometry):
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [ring for polygon in polygons for ring in polygon]


def covers(rings, x, y, number=float):
    """Whether rings have a point inside or on their edge: by a ray to the east, whose crossings are counted."""
    x, y, inside = number(x), number(y), False
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
            x1, y1, x2, y2 = number(x1), number(y1), number(x2), number(y2)
            turn = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
            if turn == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
                return True
            # An edge counts with its lower end, not with its upper one.
            if (y1 > y) != (y2 > y) and (turn > 0) == (y2 > y1):
                inside = not inside
    return inside


def frame_of(rings):
    xs, ys = zip(*(point for ring in rings for point in ring))
    return min(xs), min(ys), max(xs), max(ys)


def is_framed(frame, x, y):
    return frame[0] <= float(x) <= frame[2] and frame[1] <= float(y) <= frame[3]


class Plant:
    def __init__(self, n, row, outlines):
        self.row, self.n, self.tag, self.country = row, n, row["asset_tag"], row["country"]
        self.x, self.y = row["lon"], row["lat"]
        first, last = year(row["commissioned"]), year(row["decommissioned"])
        self.first_day = datetime.date(first, 1, 1) if first else None
        self.last_day = datetime.date(last, 12, 31) if last else None
        self.inside = {country for country, (frame, rings) in outlines.items() if is_framed(frame, self.x, self.y) and covers(rings, self.x, self.y)}
        is_listable = self.country in COUNTRIES and (self.last_day is None or self.last_day.year >= 2024)
        self.days = None
        if is_listable and n % 3:
            self.days = ("2024-01-01", "2025-01-01") if n % 7 == 0 else ("2024-01-01", None)
        self.is_excluded = self.days is not None and n % 13 == 0

    def is_living(self):
        return (self.first_day is None or self.first_day <= DAY) and (self.last_day is None or DAY <= self.last_day)

    def is_drawn(self):
        return self.days is not None

    def status(self, with_contract):
        if self.days and self.days[1] is None and not self.is_excluded and self.is_living():
            return "covered"
        if not self.is_living():
            return "not_in_service"
        return "excluded" if with_contract and self.is_excluded else "uncovered"


def check_edges():
    """Places of which everybody knows where they are, by both ways."""
    areas = {"ring": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[4, 4], [4, 6], [6, 6], [6, 4], [4, 4]]],
             "beside it": [[[10, 0], [20, 0], [15, 10], [10, 10], [10, 0]]],
             "at 180": [[[170, -20], [180, -20], [180, -10], [170, -10], [170, -20]], [[-180, -20], [-170, -20], [-170, -10], [-180, -10], [-180, -20]]]}
    places = {"on an edge": (0, 5, "ring"), "on a corner": (0, 0, "ring"), "level with a corner": (-1, 10, ""), "inside, level with a corner": (2, 4, "ring"),
              "in the hole": (5, 5, ""), "on the edge of the hole": (4, 5, "ring"), "on the shared edge": (10, 5, "beside it, ring"),
              "beside the slope": (18.5, 5, ""), "on the slope": (17.5, 5, "beside it"), "west of 180": (179.5, -15, "at 180"), "east of 180": (-179.5, -15, "at 180"), "at -180": (-180, -15, "at 180"),
              "swapped": (-15, 179.5, "")}
    run("INSERT INTO fleet.customer (name) VALUES ('Operators');")
    wanted = {place: ", ".join(sorted(name for name, rings in areas.items() if covers(rings, x, y))) for place, (x, y, _) in places.items()}
    is_equal("edge cases, as everybody knows them", wanted, {place: names for place, (_, _, names) in places.items()})

    def multipolygon(rings):
        ring = lambda points: "(" + ",".join(f"{x} {y}" for x, y in points) + ")"
        polygons = [f"({ring(rings[0])},{ring(rings[1])})"] if rings[0][0] == [0, 0] else [f"({ring(points)})" for points in rings]
        return f"SRID=4326;MULTIPOLYGON({','.join(polygons)})"
    run("".join(f"INSERT INTO fleet.contract (number, customer_id, status, during, boundary) VALUES ('{name}', 1, 'active', '[2020-01-01,)', '{multipolygon(rings)}');"
                for name, rings in areas.items())
        + "".join(f"INSERT INTO fleet.asset (asset_tag, location) VALUES ('{place}', 'SRID=4326;POINT({x} {y})');"
                  for place, (x, y, _) in places.items() if -90 <= y <= 90))
    inside = dict(run("SELECT a.asset_tag, string_agg(c.contract_number, ', ' ORDER BY c.contract_number) FROM fleet.asset_map a JOIN fleet.contract_map c ON ST_Covers(c.boundary, a.location) GROUP BY 1;"))
    is_equal("  and as the map has them", {place: inside.get(place, "") for place in places}, wanted)
    owner = dict(run("SELECT a.asset_tag, c.number FROM fleet.asset_map a JOIN fleet.contract c ON c.contract_id = a.owning_contract_id;"))
    order = list(areas)
    is_equal("  one owns each, the first of those that have it", owner,
             {place: min(names.split(", "), key=order.index) for place, names in wanted.items() if names})
    run("DELETE FROM fleet.asset;DELETE FROM fleet.contract;")


def load(plants, outlines):
    shape = "ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(o.shape), 4326)), 3))"
    run("CREATE TEMPORARY TABLE outline (country text, shape text);COPY outline FROM STDIN;\n"
        + copy_text((country, json.dumps(outlines[country])) for country in COUNTRIES) + "\\.\n"
        "INSERT INTO fleet.contract (number, customer_id, status, during, boundary)"
        f" SELECT 'PLANT-' || country, customer_id, 'active', '[2024-01-01,)', {shape} FROM outline o, fleet.customer;"
        "INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM fleet.contract;")
    run(f"COPY fleet.asset ({register.ASSET_COLUMNS}) FROM STDIN;", (asset_row(plant.row) for plant in plants))
    terms = {number[len("PLANT-"):]: term for number, term in run("SELECT c.number, t.term_id FROM fleet.contract c JOIN fleet.coverage_term t USING (contract_id);")}
    run("COPY fleet.inclusion (term_id, listed_as, effect, during) FROM STDIN;",
        [(terms[plant.country], plant.tag, "include", f"[{plant.days[0]},{plant.days[1] or ''})") for plant in plants if plant.days]
        + [(terms[plant.country], plant.tag, "exclude", "(,)") for plant in plants if plant.is_excluded])


def check_places(plants, exact):
    found = {(tag, number) for tag, number in run(
        "SELECT a.asset_tag, c.contract_number FROM fleet.asset_map a JOIN fleet.contract_map c ON NOT ST_Covers(c.boundary, a.location) AND a.country = right(c.contract_number, 2);")}
    wanted = {(plant.tag, "PLANT-" + plant.country) for plant in plants if plant.country in COUNTRIES and plant.country not in plant.inside}
    is_equal(f"plants outside of their country's outline: {len(wanted)} of {sum(plant.country in COUNTRIES for plant in plants)}", sorted(found ^ wanted), [])
    is_equal("  fractions say the same of them as doubles",
             [plant.tag for plant in plants if (plant.tag, "PLANT-" + plant.country) in wanted and covers(exact[plant.country], plant.x, plant.y, fractions.Fraction)], [])
    is_equal("plants inside of each boundary, wherever they are registered", dict(run("SELECT contract_number, assets_inside FROM fleet.contract_map;")),
             {"PLANT-" + country: str(sum(country in plant.inside for plant in plants)) for country in COUNTRIES})
    is_equal("the contract whose ground each plant stands on", dict(run("SELECT c.number, count(*) FROM fleet.asset_map a JOIN fleet.contract c ON c.contract_id = a.owning_contract_id GROUP BY 1;")),
             {"PLANT-" + country: str(sum(country in plant.inside for plant in plants)) for country in COUNTRIES})


def seen(svg):
    """What a picture says: its title, counts by status, and what it refers to."""
    root = ElementTree.fromstring(svg)
    counts = {group.get("data-status"): int(group.findall(SVG + "text")[-1].text) for group in root.iter(SVG + "g") if group.get("data-status")}
    outside = [name + "=" + value for element in root.iter() for name, value in element.attrib.items()
               if re.search(r"href|src$", name) or re.search(r"url\(|https?:", value)]
    return root, counts, outside


def check_picture(name, call, plants, title, with_contract):
    started = time.monotonic()
    svg = run(f"SELECT fleet.coverage_map_svg({call}, '{DAY}');")[0][0]
    comment(f"{name}: {len(svg)} characters in {time.monotonic() - started:.2f} s")
    root, counts, outside = seen(svg)
    wanted = collections.Counter(plant.status(with_contract) for plant in plants)
    is_equal(f"{name}: counts of the legend, of {len(plants)} plants", counts, {status: wanted[status] for status in STATUSES if with_contract or status != "excluded"})
    is_equal("  a title first, with contract and day", (root[0].tag, root[0].text), (SVG + "title", f"Coverage of {title} on {DAY}"))
    is_equal("  width, height and the part that is shown", root.get("viewBox"), f"0 0 {root.get('width')} {root.get('height')}")
    is_equal("  a legend and a scale", sorted(group.get("id") for group in root.iter(SVG + "g") if group.get("id")), ["legend", "scale"])
    is_equal("  nothing from outside, nothing that runs", (outside, [element.tag for element in root.iter() if element.tag in (SVG + "script", SVG + "image", SVG + "style")]), ([], []))
    is_equal("  at most 500 kB", len(svg.encode()) <= 500000, True)
    is_equal("  the same a second time", run(f"SELECT fleet.coverage_map_svg({call}, '{DAY}');")[0][0] == svg, True)


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    if not os.path.isfile(os.path.join(FOLDER, "register-2024-08.csv")):
        print("ok - the map of a real register # SKIP the folder ../shared/data is not beside the project")
        return 0
    started = time.monotonic()
    register.run(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);\nCREATE DATABASE {DATABASE};", database="postgres")
    run("CREATE EXTENSION cec CASCADE;SELECT cec.create_portfolio('fleet');")
    check_edges()
    with open(os.path.join(FOLDER, "countries-europe.geojson"), encoding="utf-8") as file:
        outlines = {feature["properties"]["iso"]: feature["geometry"] for feature in json.load(file)["features"]}
    rings = {country: rings_of(outlines[country]) for country in COUNTRIES}
    framed = {country: (frame_of(rings[country]), rings[country]) for country in COUNTRIES}
    plants = [Plant(n, row, framed) for n, row in enumerate(read_register("08")) if not lives_backwards(row)]
    load(plants, outlines)
    check_places(plants, rings)
    for country in COUNTRIES:
        check_picture(country, f"'PLANT-{country}'", [plant for plant in plants if plant.country == country and plant.is_drawn()], f"contract PLANT-{country}", True)
    check_picture("the portfolio", "NULL", plants, "portfolio fleet", False)
    comment(f"{time.monotonic() - started:.0f} s in all")
    print(f"1..{register.tests}")
    return 1 if register.failed else 0


if __name__ == "__main__":
    sys.exit(main())
