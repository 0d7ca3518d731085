#!/usr/bin/env python3
"""Draws the styles of this folder: how QGIS shows the layers of a map.

    python3 docs/map/styles.py      writes docs/map/*.qml anew

Statuses, colours and shapes are those of src/map/map.sql, which map_legend has too; test/docs/map.py holds the styles against it.
"""
import os
import re
from xml.sax.saxutils import quoteattr

FOLDER = os.path.dirname(os.path.abspath(__file__))
# What QGIS calls our shapes; its cross stands upright.
MARKERS = {"circle": ("circle", 0, 2.4), "diamond": ("diamond", 0, 3), "square": ("square", 0, 2.2), "cross": ("cross_fill", 45, 2.8),
           "pentagon": ("pentagon", 0, 2.8), "triangle": ("triangle", 0, 3)}
# Of contracts: outline and fill, and how the outline is drawn. Of zones: up to which share, and how dark.
CONTRACTS = {"active": ("#1f2933", "solid"), "terminated": ("#1f2933", "dash"), "draft": ("#7b8794", "dot"), "void": ("#cbd2d9", "dot")}
SHARES = ((0, 0.25, "#7f2704"), (0.25, 0.5, "#d94801"), (0.5, 0.75, "#fd8d3c"), (0.75, 0.9, "#fdbe85"), (0.9, 1, "#feedde"))


def symbols():
    with open(os.path.join(FOLDER, "../../src/map/map.sql"), encoding="utf-8") as file:
        rows = re.findall(r"\('(\w+)', (\d+), '([^']*)', '(#\w{6})', '(\w+)', (true|false)\)", file.read())
    return [(status, label, colour, shape) for status, _, label, colour, shape, is_drawn in rows if is_drawn == "true"]


def rgba(colour, alpha=255):
    return ",".join(str(int(colour[i:i + 2], 16)) for i in (1, 3, 5)) + f",{alpha}"


def options(values, depth):
    return "".join(f"{' ' * depth}<Option type=\"QString\" name={quoteattr(name)} value={quoteattr(str(value))}/>\n" for name, value in values.items())


def symbol(name, kind, layer, values):
    return (f'   <symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">\n'
            f'    <layer class="{layer}" enabled="1" pass="0" locked="0">\n     <Option type="Map">\n{options(values, 6)}     </Option>\n'
            "    </layer>\n   </symbol>\n")


def fill(colour, alpha, outline, style, width):
    return {"color": rgba(colour, alpha), "style": "solid", "outline_color": rgba(outline), "outline_style": style, "outline_width": width,
            "outline_width_unit": "MM", "joinstyle": "round"}


def style(renderer, label=""):
    return ("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
            f'<qgis version="3.22.0" styleCategories="Symbology{"|Labeling" if label else ""}" labelsEnabled="{1 if label else 0}">\n'
            f"{renderer}{label} <blendMode>0</blendMode>\n <layerOpacity>1</layerOpacity>\n</qgis>\n")


def labels(field):
    return (' <labeling type="simple">\n  <settings calloutType="simple">\n'
            f'   <text-style fieldName="{field}" fontSize="9" fontSizeUnit="Point" fontFamily="sans-serif" textColor="31,41,51,255" isExpression="0">\n'
            '    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255"/>\n   </text-style>\n'
            '   <placement placement="1" centroidWhole="0" centroidInside="1"/>\n  </settings>\n </labeling>\n')


def categorized(attribute, entries):
    """entries: (value, label, symbol by its name)"""
    return (f' <renderer-v2 type="categorizedSymbol" attr="{attribute}" forceraster="0" symbollevels="1" enableorderby="0">\n  <categories>\n'
            + "".join(f'   <category value={quoteattr(value)} label={quoteattr(label)} symbol="{n}" render="true"/>\n'
                      for n, (value, label, _) in enumerate(entries))
            + "  </categories>\n  <symbols>\n" + "".join(draw(n) for n, (_, _, draw) in enumerate(entries)) + "  </symbols>\n </renderer-v2>\n")


def asset_map():
    def marker(colour, shape, status):
        name, angle, size = MARKERS[shape]
        return lambda n: symbol(n, "marker", "SimpleMarker", {
            "name": name, "angle": angle, "color": rgba(colour), "size": size, "size_unit": "MM", "outline_style": "solid",
            "outline_color": rgba("#000000" if status == "uncovered" else "#ffffff"), "outline_width": 0.2, "outline_width_unit": "MM"})
    return style(categorized("status", [(status, label, marker(colour, shape, status)) for status, label, colour, shape in symbols()]))


def contract_map():
    def area(outline, line):
        return lambda n: symbol(n, "fill", "SimpleFill", fill("#ffffff", 0, outline, line, 0.5))
    return style(categorized("status", [(status, status, area(*how)) for status, how in CONTRACTS.items()]), labels("contract_number"))


def gap_map():
    ranges = "".join(f'   <range lower="{low:.15f}" upper="{high:.15f}" label="{low * 100:g} to {high * 100:g} % covered" symbol="{n}" render="true"/>\n'
                     for n, (low, high, _) in enumerate(SHARES))
    drawn = "".join(symbol(n, "fill", "SimpleFill", fill(colour, 190, "#7b8794", "solid", 0.15)) for n, (_, _, colour) in enumerate(SHARES))
    return style(' <renderer-v2 type="graduatedSymbol" attr="share" graduatedMethod="GraduatedColor" forceraster="0" symbollevels="0" enableorderby="0">\n'
                 f"  <ranges>\n{ranges}  </ranges>\n  <symbols>\n{drawn}  </symbols>\n </renderer-v2>\n", labels("shortfall"))


if __name__ == "__main__":
    for draw in (asset_map, contract_map, gap_map):
        with open(os.path.join(FOLDER, draw.__name__ + ".qml"), "w", encoding="utf-8") as out:
            out.write(draw())
