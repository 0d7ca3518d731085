#!/usr/bin/env python3
"""A second opinion on the tiles of assets: decoded here, and held against places and days of cover that are computed by itself.

A small portfolio of awkward places (on lines between tiles, at ±180°, at the poles and just within the map, many at one spot) and random
days.  Of today and of random days the tiles of zooms are fetched, decoded by a reader of this script, some of them by GDAL too,
and compared: which features, their positions, ids and attributes; sums over all tiles of a zoom are all assets that are located
within the map.  Then statements change it, days pass without refresh, and after each the same is asked.

    tiles.py [--seed SEED] [--days N]

Prints TAP.  Needs psql and ogr2ogr (GDAL) on the path, the usual PG* variables, and CEC_CLOCK_FILE.
"""
import argparse
import collections
import datetime
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

DATABASE = "oracle_tiles"
STATUSES = ["covered", "covered_by_bundle", "covered_by_rule", "not_in_service", "excluded", "uncovered"]
NOON = datetime.datetime(2026, 6, 10, 12, tzinfo=datetime.timezone.utc)
LIMIT = 85.0511


def run(sql, database=DATABASE):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database], input=sql, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def ask(sql):
    """Rows as JSON."""
    return [json.loads(line) for line in run("SELECT row_to_json(q) FROM (%s) AS q;" % sql).splitlines()]


def set_clock(day):
    noon = datetime.datetime.combine(day, datetime.time(12), datetime.timezone.utc)
    name = os.environ["CEC_CLOCK_FILE"]
    with open(name + ".new", "w") as file:
        file.write(str(int((noon - datetime.datetime.now(datetime.timezone.utc)).total_seconds())))
    os.rename(name + ".new", name)


# Vector tiles, by the specification 2.1 and the wire format of protocol buffers.

def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        else:
            value, at = data[at:at + 4], at + 4
        yield number, value


def packed(data):
    at, numbers = 0, []
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


def zigzag(number):
    return (number >> 1) ^ -(number & 1)


def value_of(data):
    for number, value in fields(data):
        if number == 1:
            return value.decode()
        if number == 2:
            return struct.unpack("<f", value)[0]
        if number == 3:
            return struct.unpack("<d", value)[0]
        if number in (4, 5):
            return value
        if number == 6:
            return zigzag(value)
        if number == 7:
            return bool(value)
    raise ValueError("a value of no type")


def decode(tile):
    """Layer, extent, and features by id: position and attributes."""
    layers = []
    for number, layer in fields(tile):
        name, extent, keys, values, features = None, 4096, [], [], {}
        parts = list(fields(layer)) if number == 3 else []
        for part, value in parts:
            if part == 1:
                name = value.decode()
            elif part == 5:
                extent = value
            elif part == 3:
                keys.append(value.decode())
            elif part == 4:
                values.append(value_of(value))
        for part, value in parts:
            if part != 2:
                continue
            feature = dict(fields(value))
            command, x, y = packed(feature[4])
            tags = packed(feature.get(2, b""))
            assert command == 9 and feature[3] == 1, "a feature is no point"
            assert feature[1] not in features, "two features of one id"
            features[feature[1]] = ((zigzag(x), zigzag(y)), {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2])})
        layers.append((name, extent, features))
    assert len(layers) <= 1
    return layers[0] if layers else ("assets", 4096, {})


def keys_of(tile):
    return {value.decode() for number, layer in fields(tile) if number == 3 for part, value in fields(layer) if part == 3}


def said_fields(function):
    said = json.loads(run("SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p WHERE p.pronamespace = 'fleet'::regnamespace AND p.proname = '%s';" % function))
    return set(said["vector_layers"][0]["fields"])


def decode_by_gdal(tile):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/tile.pbf", "wb") as file:
            file.write(tile)
        done = subprocess.run(["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", folder + "/tile.pbf", "assets"], capture_output=True, text=True)
    if done.returncode or not done.stdout:
        raise RuntimeError(done.stderr)
    features = {}
    for feature in json.loads(done.stdout)["features"]:
        attributes = {k: v for k, v in feature["properties"].items() if v is not None}
        x, y = feature["geometry"]["coordinates"]  # upwards
        features[attributes.pop("mvt_id")] = ((int(x), 4096 - int(y)), attributes)
    return features


# The definition.

def place(longitude, latitude):
    """Shares of the map from the west and from the north; None beyond it."""
    if abs(latitude) > LIMIT:
        return None
    if longitude == 180:
        longitude = -180
    across = (longitude + 180) / 360
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    last = math.nextafter(1, 0) if hasattr(math, "nextafter") else 1 - 2 ** -53
    return min(max(across, 0), last), min(max(down, 0), last)


def on(days, day):
    """Whether a day lies in a range, as lower and upper bound, the upper one not included."""
    return (days[0] is None or days[0] <= day) and (days[1] is None or day < days[1])


class World:
    def __init__(self):
        self.assets = {a["asset_id"]: a for a in ask("""
            SELECT asset_id, asset_tag, status, commissioned_on, decommissioned_on, ST_X(location) AS lon, ST_Y(location) AS lat,
                (SELECT name FROM customer u WHERE u.customer_id = a.customer_id) AS customer, attributes -> 'value' AS value,
                (SELECT json_agg(json_build_array(lower(r), upper(r))) FROM unnest(out_of_service) r) AS pauses
            FROM asset a""")}
        self.cover = collections.defaultdict(list)
        for row in ask("""
            SELECT v.asset_id, json_build_array(lower(v.during), upper(v.during)) AS days, is_stated, is_inherited, is_ruled, c.number AS contract, t.number AS term,
                c.kind, c.priority, r.code AS tier, r.rank
            FROM coverage v JOIN coverage_term t USING (term_id) JOIN contract c USING (contract_id) LEFT JOIN service_tier r USING (tier_id)"""):
            self.cover[row["asset_id"]].append(row)
        self.lines = collections.defaultdict(list)
        for row in ask("""
            SELECT i.asset_id, c.number AS contract, i.effect, json_build_array(lower(i.during), upper(i.during)) AS days
            FROM inclusion i JOIN coverage_term t USING (term_id) JOIN contract c USING (contract_id)"""):
            self.lines[row["asset_id"]].append(row)

    def status(self, asset, day, contract=None):
        rows = [r for r in self.cover[asset["asset_id"]] if on(r["days"], day) and contract in (None, r["contract"])]
        if any(r["is_stated"] for r in rows):
            return "covered"
        if any(r["is_inherited"] for r in rows):
            return "covered_by_bundle"
        if rows:
            return "covered_by_rule"
        if (asset["status"] == "planned" and asset["commissioned_on"] is None or (asset["commissioned_on"] or day) > day or (asset["decommissioned_on"] or day) < day
                or any(on(pause, day) for pause in asset["pauses"] or [])):
            return "not_in_service"
        if contract and any(l["effect"] == "exclude" and l["contract"] == contract and on(l["days"], day) for l in self.lines[asset["asset_id"]]):
            return "excluded"
        return "uncovered"

    def first_cover(self, asset, day, contract=None):
        kinds = ["warranty", "extended_warranty", "service", "lease"]
        rows = [r for r in self.cover[asset["asset_id"]] if on(r["days"], day) and contract in (None, r["contract"])]
        return min(rows, default=None, key=lambda r: (
            kinds.index(r["kind"]), 0 if r["is_stated"] else 1 if r["is_inherited"] else 2, -(r["rank"] if r["rank"] is not None else -10 ** 9), r["priority"],
            -(datetime.date.fromisoformat(r["days"][1]).toordinal() if r["days"][1] else 10 ** 9), r["contract"], r["term"]))

    def concerns(self, asset, contract):
        return any(r["contract"] == contract for r in self.cover[asset["asset_id"]] + self.lines[asset["asset_id"]])

    @staticmethod
    def value(asset):
        value = asset["value"]
        try:
            return 0 if value is None or isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            return 0

    def shown(self, z, x, y, day, contract=None, status=None, customer=None):
        for asset in self.assets.values():
            at = None if asset["lon"] is None else place(asset["lon"], asset["lat"])
            if at is None or (math.floor(at[0] * 2 ** z), math.floor(at[1] * 2 ** z)) != (x, y) or (contract and not self.concerns(asset, contract)) \
                    or customer not in (None, asset["customer"]):
                continue
            is_now = self.status(asset, day, contract)
            if status in (None, is_now):
                yield asset, at, is_now

    def clusters(self, z, x, y, day, **filters):
        found = {}
        for asset, at, status in self.shown(z, x, y, day, **filters):
            col, row = math.floor(at[0] * 2 ** (z + 4)), math.floor(at[1] * 2 ** (z + 4))
            position = ((col - 16 * x) * 256 + 128, (row - 16 * y) * 256 + 128)
            _, counts = found.setdefault(row * 2 ** (z + 4) + col, (position, {"is_cluster": True, "assets": 0, "uncovered_value": 0.0, **{s: 0 for s in STATUSES}}))
            counts["assets"] += 1
            counts[status] += 1
            counts["uncovered_value"] += self.value(asset) if status == "uncovered" else 0
        return found

    def points(self, z, x, y, day, notice_days, **filters):
        found = {}
        for asset, at, status in self.shown(z, x, y, day, **filters):
            attributes = {"asset_tag": asset["asset_tag"], "status": status, "is_expiring": False, "value": self.value(asset)}
            first = self.first_cover(asset, day, filters.get("contract"))
            if asset["customer"]:
                attributes["customer"] = asset["customer"]
            if first:
                attributes["contract_number"] = first["contract"]
                if first["tier"]:
                    attributes["tier_code"] = first["tier"]
                if first["days"][1]:
                    last = datetime.date.fromisoformat(first["days"][1]) - datetime.timedelta(days=1)
                    attributes["last_day"] = last.isoformat()
                    attributes["is_expiring"] = (last - datetime.date.fromisoformat(day)).days <= notice_days
            found[asset["asset_id"]] = ((math.floor(at[0] * 2 ** (z + 12)) - x * 4096, math.floor(at[1] * 2 ** (z + 12)) - y * 4096), attributes)
        return found


def fetch(z, x, y, params=None):
    return bytes.fromhex(run("SELECT encode(mvt_assets(%d, %d, %d%s), 'hex');" % (z, x, y, ", '%s'" % json.dumps(params) if params else "")))


def fetch_zoom(z, params=None):
    """All tiles of a zoom that are not empty."""
    lines = run("SELECT x, y, encode(t, 'hex') FROM generate_series(0, %d) x, generate_series(0, %d) y, mvt_assets(%d, x, y%s) AS t WHERE t <> '';"
                % (2 ** z - 1, 2 ** z - 1, z, ", '%s'" % json.dumps(params) if params else "")).splitlines()
    return {(int(x), int(y)): bytes.fromhex(t) for x, y, t in (line.split("|") for line in lines)}


def close(one, other):
    if one.keys() != other.keys():
        return False
    return all(abs(one[k] - other[k]) < 1e-6 * max(1, abs(other[k])) if isinstance(other[k], float) else one[k] == other[k] for k in other)


def difference(found, wanted, optional=()):
    """The first feature that is not as it ought to be, in words; None: all are."""
    for feature in sorted(found.keys() | wanted.keys()):
        if feature not in found or feature not in wanted:
            return "feature %d is in %s alone" % (feature, "the tile" if feature in found else "the definition")
        attributes = {k: v for k, v in found[feature][1].items() if k not in optional}
        if found[feature][0] != wanted[feature][0] or not close(attributes, wanted[feature][1]):
            return "feature %d: %s instead of %s" % (feature, found[feature], wanted[feature])
    return None


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, is_ok, name, why=None):
        self.count += 1
        self.failed += not is_ok
        print("%s %d - %s" % ("ok" if is_ok else "not ok", self.count, name))
        if not is_ok and why:
            print("# " + str(why)[:2000])
        sys.stdout.flush()


SET_UP = """
CREATE EXTENSION cec CASCADE;
SELECT cec.create_portfolio('fleet');
SET search_path = fleet, public;
ALTER DATABASE %s SET search_path = fleet, public;
UPDATE setting SET duplicates_allowed = true;
INSERT INTO customer (name, external_ref) VALUES ('Acme', 'CU-1'), ('Bolt & Söhne', 'CU-2');
INSERT INTO service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1);
INSERT INTO contract (number, customer_id, account_manager, kind, status, during, priority) VALUES
	('C-1', 1, 'Ann', 'service', 'active', '[2025-01-01,2027-01-01)', 100), ('C-2', 2, 'Bob', 'warranty', 'active', '[2026-03-01,2026-09-01)', 100), ('4711', 1, 'Ann', 'service', 'active', '(,)', 50);
INSERT INTO coverage_term (contract_id, number, during, tier_id) VALUES (1, '1', '(,)', 1), (1, '2', '[2026-01-01,2026-08-01)', 2), (2, '1', '(,)', NULL), (3, 'x', '[2026-05-01,2028-01-01)', 2);
"""

AWKWARD = [(0, 0), (180, 10), (-180, 10), (179.9999999999, -10), (-45, 45), (90, 66.51326044311186), (0, LIMIT), (0, -LIMIT), (0, 85.05111), (5, 90), (5, -90), (-180, LIMIT), (180, -LIMIT),
           (11.25, 0), (0.3515625, 0.3515625), (-0.3515625, 1e-12), (1e-12, -1e-12)]


def sql_text(text):
    return "NULL" if text is None else "'%s'" % text


def random_day(random_of, around=datetime.date(2026, 6, 10), days=500):
    return (around + datetime.timedelta(days=random_of.randint(-days, days))).isoformat()


def build(random_of):
    run("DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s;" % (DATABASE, DATABASE), "postgres")
    run(SET_UP % DATABASE)
    places = AWKWARD + [(random_of.uniform(-180, 180), random_of.uniform(-86, 86)) for _ in range(150)] + [(9 + random_of.random(), 48 + random_of.random()) for _ in range(150)] \
        + [(7.5, 51.5)] * 40 + [None] * 12
    rows = []
    for number, at in enumerate(places):
        value = random_of.choice([None, "12.5", "1000", '"7.25"', '" 1e3 "', '"much"', "true", "-3"])
        rows.append("('A-%d', %s, %s, %s, %s, '%s', %s)" % (
            number, random_of.choice(["1", "2", "NULL"]), "NULL" if at is None else "ST_SetSRID(ST_MakePoint(%r, %r), 4326)" % at,
            sql_text(random_of.choice([None, random_day(random_of)])), sql_text(random_of.choice([None, None, None, "2029-01-01"])),
            random_of.choice(["in_service"] * 5 + ["planned", "in_repair"]), "'{\"value\": %s}'" % value if value else "'{}'"))
    run("INSERT INTO asset (asset_tag, customer_id, location, commissioned_on, decommissioned_on, status, attributes) VALUES %s;" % ", ".join(rows))
    run("INSERT INTO bundle (name, primary_asset_id) SELECT 'B', 30; INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT 1, g, '[2026-02-01,2026-11-01)' FROM generate_series(31, 45) g;")
    run("INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES (4, 'r', 'include', 'asset_tag LIKE ''A-2%''', '(,)');")
    for _ in range(4):
        change(random_of, "INSERT")


def change(random_of, kind=None):
    kind = kind or random_of.choice(["INSERT", "move", "remove", "exclude", "days", "value", "contract", "mixed", "member"])
    of = "mod(asset_id, %d) = %d" % (random_of.choice([2, 3, 5, 7]), random_of.randint(0, 1))
    term = random_of.randint(1, 4)
    first = random_day(random_of)
    last = (datetime.date.fromisoformat(first) + datetime.timedelta(days=random_of.randint(1, 300))).isoformat()
    point = "ST_SetSRID(ST_MakePoint(%r, %r), 4326)" % (random_of.uniform(-180, 180), random_of.uniform(-88, 88))
    # Lines that are refused are none of ours: only what may be listed is.
    listed = ("SELECT %d, asset_id, '%%s', daterange('%s', '%s') FROM asset a WHERE %s AND (status <> 'planned' OR commissioned_on IS NOT NULL) AND coalesce(commissioned_on, '2000-01-01') < '%s'"
              " AND coalesce(decommissioned_on, '3000-01-01') >= '%s' AND NOT EXISTS (SELECT FROM inclusion i WHERE i.asset_id = a.asset_id AND i.term_id = %d AND i.effect = '%%s' AND i.during && daterange('%s', '%s'))"
              " AND EXISTS (SELECT FROM coverage_term t JOIN contract c USING (contract_id) WHERE t.term_id = %d AND t.during * c.during && daterange('%s', '%s')"
              " AND t.during * c.during * daterange('%s', '%s') && daterange(coalesce(a.commissioned_on, '2000-01-01'), '3000-01-01'))" % (
                  term, first, last, of, first, last, term, first, last, term, first, last, first, last))
    statements = {
        "INSERT": "INSERT INTO inclusion (term_id, asset_id, effect, during) " + listed % ("include", "include"),
        "exclude": "INSERT INTO inclusion (term_id, asset_id, effect, during) " + listed % ("exclude", "exclude"),
        "move": "UPDATE asset SET location = CASE WHEN mod(asset_id, 4) = 0 THEN NULL ELSE %s END WHERE %s" % (point, of),
        "remove": "DELETE FROM inclusion WHERE %s" % of,
        "days": "UPDATE asset SET out_of_service = '{[%s,%s)}' WHERE %s" % (first, last, of),
        "value": "UPDATE asset SET attributes = '{\"value\": %d}' WHERE %s" % (random_of.randint(0, 99), of),
        "contract": "UPDATE contract SET suspensions = '{[%s,%s)}' WHERE contract_id = %d" % (first, last, random_of.randint(1, 3)),
        "mixed": "WITH m AS (UPDATE asset SET location = %s, attributes = '{\"value\": 5}' WHERE %s RETURNING 1) DELETE FROM inclusion WHERE mod(asset_id, 3) = 1" % (point, of),
        "member": "UPDATE bundle_member SET during = '[%s,%s)' WHERE %s" % (first, last, of)}
    run(statements[kind] + ";")
    return kind


def check_day(tap, world, random_of, day, name):
    """Tiles of a day, some of them; and the sums of a zoom."""
    params = {"on_day": day}
    located = sum(1 for a in world.assets.values() if a["lon"] is not None and place(a["lon"], a["lat"]))
    z = random_of.choice([0, 1, 2, 3, 4, 5])
    tiles = fetch_zoom(z, params)
    wrong = next((d for (x, y), tile in tiles.items() for d in [difference(decode(tile)[2], world.clusters(z, x, y, day))] if d), None)
    total = sum(f[1]["assets"] for tile in tiles.values() for f in decode(tile)[2].values())
    tap.ok(wrong is None and total == located, "%s, %s: all tiles of zoom %d hold what is there" % (name, day, z), wrong or "%d assets, %d are located" % (total, located))
    asset = random_of.choice([a for a in world.assets.values() if a["lon"] is not None and place(a["lon"], a["lat"])])
    z = random_of.choice([6, 7, 9, 14, 19, 24])
    x, y = (math.floor(share * 2 ** z) for share in place(asset["lon"], asset["lat"]))
    tile = fetch(z, x, y, params)
    found = decode(tile)[2]
    if z == 6:
        wanted = world.clusters(z, x, y, day)
        optional = ()
    else:
        wanted = world.points(z, x, y, day, notice_days(), contract=None)
        optional = ("is_duplicate", "findings")
    by_gdal = decode_by_gdal(tile)
    tap.ok(difference(found, wanted, optional) is None and asset["asset_id"] in (found if z > 6 else [asset["asset_id"]]),
           "%s, %s: tile %d/%d/%d holds what is there" % (name, day, z, x, y), difference(found, wanted, optional))
    tap.ok(difference(by_gdal, found) is None, "%s, %s: and GDAL reads the same" % (name, day), difference(by_gdal, found))


def notice_days():
    return int(run("SELECT expiry_notice_days FROM setting;"))


def check_filters(tap, world, random_of, day):
    for contract in ("C-1", "C-2", "4711"):
        for status in [None] + random_of.sample(STATUSES, 2):
            for z in (0, 3):
                params = {"on_day": day, "contract_number": 4711 if contract == "4711" else contract}
                if status:
                    params["status"] = status
                tiles = fetch_zoom(z, params)
                wrong = next((d for x in range(2 ** z) for y in range(2 ** z)
                              for d in [difference(decode(tiles.get((x, y), b""))[2], world.clusters(z, x, y, day, contract=contract, status=status))] if d), None)
                tap.ok(wrong is None, "%s: contract %s, status %s, zoom %d" % (day, contract, status, z), wrong)
    tiles = fetch_zoom(2, {"customer": "CU-2", "status": "uncovered", "on_day": day})
    wrong = next((d for x in range(4) for y in range(4) for d in [difference(decode(tiles.get((x, y), b""))[2], world.clusters(2, x, y, day, customer="Bolt & Söhne", status="uncovered"))] if d), None)
    tap.ok(wrong is None, "%s: a customer, status uncovered" % day, wrong)
    for z, x, y in ((7, 66, 42), (8, 133, 85), (11, 1066, 682)):
        few = decode(fetch(z, x, y, {"on_day": day, "max_features": 20}))[2]
        points = world.points(z, x, y, day, notice_days())
        wanted = points if len(points) <= 20 else world.clusters(z, x, y, day)
        tap.ok(difference(few, wanted, ("is_duplicate", "findings")) is None, "%s: %d/%d/%d with at most 20 features" % (day, z, x, y), difference(few, wanted, ("is_duplicate", "findings")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", default=os.environ.get("CEC_SEED") or str(random.randrange(10 ** 6)))
    parser.add_argument("--days", type=int, default=int(os.environ.get("CEC_DAYS") or 50))
    arguments = parser.parse_args()
    tap = Tap()
    print("# seed %s" % arguments.seed)
    random_of = random.Random(float(arguments.seed))
    today = NOON.date()
    set_clock(today)
    build(random_of)
    world = World()
    check_day(tap, world, random_of, today.isoformat(), "before any refresh")
    run("SELECT refresh();")
    for _ in range(arguments.days):
        check_day(tap, world, random_of, random_day(random_of, days=800), "a random day")
    for _ in range(12):
        kind = change(random_of)
        if random_of.random() < 0.3:
            run("SELECT refresh();")
        if random_of.random() < 0.4:
            today += datetime.timedelta(days=random_of.choice([1, 1, 30, 200]))
            set_clock(today)
        world = World()
        tiles = fetch_zoom(3)
        wrong = next((d for (x, y), tile in tiles.items() for d in [difference(decode(tile)[2], world.clusters(3, x, y, today.isoformat()))] if d), None)
        tap.ok(wrong is None, "behind %s, on %s, tiles are as of today" % (kind, today), wrong)
        check_day(tap, world, random_of, random_day(random_of, today, 400), "behind " + kind)
    check_filters(tap, world, random_of, random_day(random_of, days=200))
    # What the TileJSON of the comments says is what tiles have. Chance may have left no asset with all of it: this one has.
    run("""INSERT INTO contract (number, customer_id, account_manager, kind, status, during) VALUES ('C-all', 1, 'Ann', 'service', 'active', '(,)');
        INSERT INTO coverage_term (contract_id, number, during, tier_id) SELECT contract_id, '1', '[2025-01-01,2100-01-01)', 1 FROM contract WHERE number = 'C-all';
        INSERT INTO asset (asset_tag, customer_id, location, commissioned_on) VALUES ('all', 1, ST_SetSRID(ST_MakePoint(7.5, 51.5), 4326), '2025-01-01'), ('gap', 1, ST_SetSRID(ST_MakePoint(7.6, 51.5), 4326), '2025-01-01');
        INSERT INTO inclusion (term_id, asset_id, during) SELECT term_id, asset_id, '[2025-01-01,2100-01-01)' FROM coverage_term, asset WHERE contract_id = (SELECT contract_id FROM contract WHERE number = 'C-all') AND asset_tag = 'all';""")
    x, y = (math.floor(share * 2 ** 12) for share in place(7.5, 51.5))
    seen = keys_of(fetch(0, 0, 0)) | keys_of(fetch(12, x, y))
    tap.ok(seen == said_fields("mvt_assets"), "attributes of assets are the fields of the comment", seen ^ said_fields("mvt_assets"))
    run("UPDATE contract SET boundary = ST_Multi(ST_MakeEnvelope(7, 51, 8, 52, 4326)) WHERE contract_id = 3;")
    for function in ("mvt_contracts", "mvt_gaps"):
        tile = bytes.fromhex(run("SELECT encode(%s(0, 0, 0), 'hex');" % function))
        tap.ok(keys_of(tile) == said_fields(function), "and so are those of %s" % function, keys_of(tile) ^ said_fields(function))
    # The same bytes from rows as from the grid: for whom row-level security shows all, and whatever the caller has set.
    run("""DO 'BEGIN CREATE ROLE oracle_looker; EXCEPTION WHEN duplicate_object THEN NULL; END'; SELECT cec.grant_access('fleet', 'oracle_looker', 'analyst');
        CREATE POLICY every ON asset USING (true); ALTER TABLE asset ENABLE ROW LEVEL SECURITY;""")
    for z, day in ((0, today.isoformat()), (2, "2026-02-01"), (5, "2025-12-31")):
        wrong = run("""SET ROLE oracle_looker; CREATE TEMP TABLE seen AS SELECT x, y, mvt_assets(%d, x, y, '{"on_day": "%s"}') AS tile FROM generate_series(0, %d) x, generate_series(0, %d) y;
            RESET ROLE; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Pacific/Kiritimati'; SET extra_float_digits = 0; SET search_path = pg_temp; SET client_encoding = LATIN1;
            SELECT count(*) FROM seen WHERE tile <> fleet.mvt_assets(%d, x, y, '{"on_day": "%s"}');""" % (z, day, 2 ** z - 1, 2 ** z - 1, z, day))
        tap.ok(wrong == "0", "zoom %d on %s: the same bytes by the grid and by rows" % (z, day), wrong)
    run("DROP POLICY every ON asset; CREATE POLICY few ON asset USING (asset_id <= 100);")
    total = run("SET ROLE oracle_looker; SELECT encode(mvt_assets(0, 0, 0), 'hex');").splitlines()[-1]
    shown = sum(f[1]["assets"] for f in decode(bytes.fromhex(total))[2].values())
    wanted = sum(1 for a in World().assets.values() if a["asset_id"] <= 100 and a["lon"] is not None and place(a["lon"], a["lat"]))
    tap.ok(shown == wanted, "whom a policy shows a hundred assets sees these", "%d instead of %d" % (shown, wanted))
    print("1..%d" % tap.count)
    run("DROP DATABASE %s WITH (FORCE);" % DATABASE, "postgres")
    sys.exit(tap.failed > 0)


if __name__ == "__main__":
    main()
