#!/usr/bin/env python3
"""Holds what docs/map gives to other programs against what they find in a database.

  - the styles of QGIS are XML, are what docs/map/styles.py draws, name columns that are there, and have a category of the colour and shape
    of map_legend for each status; a contract's status has one each;
  - martin's and pg_tileserv's configurations name functions that are there, or will be, in their own form;
  - GDAL's PostgreSQL driver (ogrinfo), which reads as QGIS does, finds the layers with type, reference system and key;
  - QGIS itself does, and takes the styles, where CEC_QGIS is set;
  - docs/map.svg is what docs/map/picture.sql draws.

Prints TAP. Needs psql and ogrinfo on the path and the usual PG* variables; leaves no database behind.
"""
import os
import re
import runpy
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
DATABASE = "docs_map"
# What QGIS calls our shapes, and how they are turned.
MARKERS = {"circle": "circle 0", "diamond": "diamond 0", "square": "square 0", "cross": "cross_fill 45", "pentagon": "pentagon 0", "triangle": "triangle 0"}
LAYERS = {"asset_map": ("location", "Point", "asset_id"), "contract_map": ("boundary", "Multi Polygon", "contract_id"),
          "gap_map": ("geometry", "Multi Polygon", "zone_id")}

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


def psql(sql, database=DATABASE, *options):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-d", database, *options], input=sql,
                          capture_output=True, encoding="utf-8", env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"), check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def options(layer):
    return {option.get("name"): option.get("value") for option in layer.iter("Option") if option.get("name")}


def hexed(rgba):
    return "#" + "".join(f"{int(part):02x}" for part in rgba.split(",")[:3])


def check_styles():
    styles = runpy.run_path(os.path.join(TOP, "docs/map/styles.py"))
    trees = {}
    for name in ("asset_map", "contract_map", "gap_map"):
        text = read(f"docs/map/{name}.qml")
        is_equal(f"{name}.qml is what styles.py draws", text, styles[name]())
        trees[name] = ElementTree.fromstring(text)
        renderer = trees[name].find("renderer-v2")
        used = sorted(entry.get("symbol") for entry in renderer.iter() if entry.tag in ("category", "range"))
        is_equal(f"  each of its {len(used)} entries has a symbol", used, sorted(symbol.get("name") for symbol in renderer.find("symbols")))
        if name in LAYERS:
            fields = [renderer.get("attr")] + [text.get("fieldName") for text in trees[name].iter("text-style")]
            there = psql(f"SELECT attname FROM pg_attribute WHERE attrelid = 'fleet.{name}'::regclass AND attnum > 0;").split()
            is_equal("  the columns that it names are there", [field for field in fields if field not in there], [])

    renderer = trees["asset_map"].find("renderer-v2")
    drawn = {symbol.get("name"): options(symbol.find("layer")) for symbol in renderer.find("symbols")}
    got = [(category.get("value"), category.get("label"), hexed(drawn[category.get("symbol")]["color"]),
            f"{drawn[category.get('symbol')]['name']} {drawn[category.get('symbol')]['angle']}") for category in renderer.find("categories")]
    wanted = [line.split("|") for line in psql("SELECT status, label, colour, shape FROM fleet.map_legend WHERE shape <> 'none' ORDER BY map_legend_id;").splitlines()]
    is_equal("statuses of asset_map.qml are those of map_legend, in label, colour and shape", got,
             [(status, label, colour, MARKERS[shape]) for status, label, colour, shape in wanted])
    known = psql("SELECT unnest(allowed_words) FROM cec.table_rule WHERE constraint_name = 'contract_status_known' ORDER BY 1;").split()
    is_equal("statuses of contract_map.qml are those of contracts",
             sorted(category.get("value") for category in trees["contract_map"].iter("category")), known)
    edges = [(float(entry.get("lower")), float(entry.get("upper"))) for entry in trees["gap_map"].iter("range")]
    is_equal("ranges of gap_map.qml go from 0 to 1 without a gap", [low for low, _ in edges] + [1.0], [0.0] + [high for _, high in edges])


def check_servers():
    functions = psql("SELECT proname FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace AND proname ~ '^mvt_' ORDER BY 1;").split()
    martin = read("docs/map/martin.yaml")
    named = re.findall(r"^      function: (\w+)$", martin, re.M)
    is_equal("martin is given all functions of tiles", sorted(set(functions) - set(named)), [])
    is_equal("  and none twice", sorted(set(named)), sorted(named))
    is_equal("  in lines that are key and value", [line for line in martin.splitlines() if not re.match(r"^ *(#.*|[\w]+:( [^\s].*)?)$", line)], [])
    is_equal("pg_tileserv's configuration is TOML with what it knows", sorted(tomllib.loads(read("docs/map/pg_tileserv.toml"))),
             ["CacheTTL", "DbConnection", "DbPoolMaxConns", "DbTimeout", "DefaultMaxZoom", "DefaultMinZoom", "HttpHost", "HttpPort"])
    legend = dict(line.split("|") for line in psql("SELECT status, colour FROM fleet.map_legend WHERE shape <> 'none';").splitlines())
    page = read("docs/map/map.html")
    is_equal("the page has the colours of map_legend", [colour for colour in legend.values() if colour not in page], [])


def ogrinfo(*arguments):
    done = subprocess.run(["ogrinfo", "-ro", f"PG:dbname={DATABASE} schemas=fleet", *arguments], capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def check_layers():
    listed = ogrinfo()
    for view, (column, kind, key) in LAYERS.items():
        told = re.search(rf"^\d+: {view} \((.*)\)$", listed, re.M)
        is_equal(f"GDAL lists {view}", told and told.group(1), kind)
        summary = ogrinfo("-so", view)
        is_equal("  by its column", re.search(r"^Geometry Column = (.*)$", summary, re.M).group(1), column)
        is_equal("  in WGS 84", bool(re.search(r'ID\["EPSG",4326\]\]', summary)), True)
        first = psql(f"SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'fleet.{view}'::regclass AND attnum = 1;").strip()
        is_equal("  its first column is a bigint key", first, f"{key}|bigint")
        is_equal("  of which there is none twice", psql(f"SELECT count(*) = count(DISTINCT {key}) FROM fleet.{view};").strip(), "t")
    is_equal("a rectangle of asset_map has what stands in it", re.search(r"^Feature Count: (\d+)$", ogrinfo("-so", "-spat", "9", "53", "10.2", "54", "asset_map"), re.M).group(1), "2")
    is_equal("  and the boundary of a contract its area", "MULTIPOLYGON (((9 53,11 53,11 54,9 54,9 53)))" in ogrinfo("contract_map"), True)


# QGIS itself, without a window: each layer is one for it, has all rows, an unique key, and takes our style.
QGIS = """
import os, sys
from qgis.core import QgsApplication, QgsDataSourceUri, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
for view, (column, type, key) in %r.items():
    uri = QgsDataSourceUri()
    uri.setConnection(os.environ["PGHOST"], os.environ.get("PGPORT", "5432"), %r, os.environ.get("PGUSER", "postgres"), "")
    uri.setDataSource("fleet", view, column, "", key)
    layer = QgsVectorLayer(uri.uri(False), view, "postgres")
    _, is_styled = layer.loadNamedStyle(os.path.join(%r, "docs/map", view + ".qml"))
    features = list(layer.getFeatures())
    print(view, layer.isValid(), len(features), len({feature.id() for feature in features}), layer.crs().authid(), is_styled, layer.renderer().type())
"""


def check_qgis():
    """Only where CEC_QGIS says that it is to be there (test/bin/check-long)."""
    done = subprocess.run(["python3", "-c", QGIS % (LAYERS, DATABASE, TOP)], capture_output=True, encoding="utf-8", check=False,
                          env=dict(os.environ, QT_QPA_PLATFORM="offscreen", HOME=os.environ.get("TMPDIR", "/tmp"), PYTHONPATH="/usr/lib/python3/dist-packages"))
    rows = {view: psql(f"SELECT count(*) FROM fleet.{view};").strip() for view in LAYERS}
    is_equal("QGIS reads all layers and takes their styles", done.stdout.splitlines() or done.stderr, [
        f"asset_map True {rows['asset_map']} {rows['asset_map']} EPSG:4326 True categorizedSymbol",
        f"contract_map True {rows['contract_map']} {rows['contract_map']} EPSG:4326 True categorizedSymbol",
        f"gap_map True {rows['gap_map']} {rows['gap_map']} EPSG:4326 True graduatedSymbol"])


def main():
    psql(f"DROP DATABASE IF EXISTS {DATABASE};\nCREATE DATABASE {DATABASE};", "postgres")
    psql("""CREATE EXTENSION cec CASCADE;
        SELECT cec.create_portfolio('fleet');
        INSERT INTO fleet.customer (name) VALUES ('Harbour');
        INSERT INTO fleet.contract (number, customer_id, status, during, boundary)
        VALUES ('C', 1, 'active', '[2020-01-01,)', 'SRID=4326;MULTIPOLYGON(((9 53,11 53,11 54,9 54,9 53)))'), ('NO BOUNDARY', 1, 'draft', '[2020-01-01,)', NULL);
        INSERT INTO fleet.asset (asset_tag, location) VALUES ('A', 'SRID=4326;POINT(9.5 53.5)'), ('B', 'SRID=4326;POINT(10 53.5)'), ('C', 'SRID=4326;POINT(20 53.5)'), ('D', NULL);""")
    check_styles()
    check_servers()
    check_layers()
    if os.environ.get("CEC_QGIS"):
        check_qgis()
    is_equal("docs/map.svg is what docs/map/picture.sql draws", read("docs/map.svg"), psql("", DATABASE, "-f", os.path.join(TOP, "docs/map/picture.sql")))
    psql(f"DROP DATABASE {DATABASE};", "postgres")
    print(f"1..{tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
