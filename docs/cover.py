#!/usr/bin/env python3
"""Draws docs/cover.svg from the text below: how cover follows from facts, in one year.

    python3 docs/cover.py >docs/cover.svg

A line is: what, how it is drawn, and its ranges of days, both ends included; no end: beyond the year. Headings stand alone.
test/docs/readme.py compares the picture with what this prints, and the ranges of days with what docs/concepts.md shows.
"""
from datetime import date, timedelta
from html import escape

YEAR = 2026
TEXT = """
Facts, which people state
contract S-1 is active | fact | 01-01..12-31
… and is suspended | against | 08-10..08-31
its term 1 | fact | 01-01..12-31
the pump is on the list | fact | 03-01..
the pump is in service | fact | ..10-15
the motor is in the pump's bundle | fact | 06-01..
the motor is carved out | against | 07-01..07-31
Cover, which follows from them
the pump is covered (stated) | cover | 03-01..08-09, 09-01..10-15
the motor is covered (inherited) | cover | 06-01..06-30, 08-01..08-09, 09-01..10-15
"""

LEFT, DAY, ROW, TOP, RIGHT = 250, 2.0, 30, 34, 14
# How a bar is filled, outlined and written on. Told apart in grey too: light, hatched, dark.
LOOKS = {"fact": ("#dbe8f7", "#3f6ea5", "#000000"), "against": ("url(#hatch)", "#b5482f", "#000000"), "cover": ("#2f7d43", "#1d5a2e", "#ffffff")}
KEY = (("fact", "a fact"), ("against", "a fact that takes cover away"), ("cover", "cover"))
FIRST, AFTER = date(YEAR, 1, 1), date(YEAR + 1, 1, 1)


def lines():
    """Headings as (heading, None, None); others as (what, how, ranges of half-open days, with whether each end is open)."""
    for line in TEXT.strip().splitlines():
        what, *rest = [part.strip() for part in line.split("|")]
        if not rest:
            yield what, None, None
            continue
        ranges = []
        for days in rest[1].split(","):
            first, last = days.strip().split("..")
            ranges.append((date.fromisoformat(f"{YEAR}-{first}") if first else FIRST,
                           date.fromisoformat(f"{YEAR}-{last}") + timedelta(1) if last else AFTER, not first, not last))
        yield what, rest[0], ranges


def x(day):
    return round(LEFT + (day - FIRST).days * DAY, 1)


def say(day):
    return f"{day.day} {day:%b}"


def bar(first, after, opens, runs_on, how, y):
    fill, line, ink = LOOKS[how]
    left, right, top, bottom, tip = x(first), x(after), y + 5, y + ROW - 5, 7
    middle = (top + bottom) / 2
    shape = [(left, top)] + ([(right, top), (right + tip, middle), (right, bottom)] if runs_on else [(right, top), (right, bottom)])
    shape += [(left, bottom)] + ([(left - tip, middle)] if opens else [])
    points = " ".join(f"{a:g},{b:g}" for a, b in shape)
    yield f'<polygon points="{points}" fill="{fill}" stroke="{line}"/>'
    last = after - timedelta(1)
    texts = [f"{say(first)} – {say(last)}", f"{first.day}–{last.day} {last:%b}", f"{first.day}–{last.day}"]
    if first.month != last.month:
        texts = texts[:1]
    elif (after - first).days < 28 or first.day > 1:
        texts = texts[1:]
    if opens or runs_on:
        texts = [f"through {say(last)}" if opens else f"from {say(first)} on"]
    text = next((text for text in texts if len(text) * 6.6 < right - left), texts[-1])
    centre = (left + right) / 2
    if how == "against":
        half = len(text) * 3.3
        yield f'<rect x="{centre - half:g}" y="{top + 3}" width="{2 * half:g}" height="{bottom - top - 6}" fill="#ffffff"/>'
    small = "" if len(text) * 7 < right - left else ' font-size="10.5"'
    yield f'<text x="{centre:g}" y="{middle + 4:g}" text-anchor="middle" fill="{ink}"{small}>{text}</text>'


def key(y):
    """What the three looks mean, below the bars."""
    left = LEFT
    for how, what in KEY:
        fill, line, _ = LOOKS[how]
        yield f'<rect x="{left}" y="{y + 8}" width="26" height="14" fill="{fill}" stroke="{line}"/>'
        yield f'<text x="{left + 34}" y="{y + 19}">{what}</text>'
        left += 70 + 7 * len(what)


def draw():
    rows = list(lines())
    bottom, width = TOP + len(rows) * ROW + 8, x(AFTER) + RIGHT
    height = bottom + ROW
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}" ' \
          'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">'
    yield "<title>How cover follows from facts</title>"
    yield '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' \
          '<rect width="7" height="7" fill="#fdf3f0"/><rect width="2.5" height="7" fill="#d07a66"/></pattern></defs>'
    yield f'<rect width="{width:g}" height="{height}" fill="#ffffff"/>'
    for month in range(1, 13):
        begin = date(YEAR, month, 1)
        yield f'<line x1="{x(begin):g}" y1="{TOP - 6}" x2="{x(begin):g}" y2="{bottom - 8}" stroke="#e3e3e3"/>'
        yield f'<text x="{x(begin) + 15 * DAY:g}" y="20" text-anchor="middle" fill="#555555">{begin:%b}</text>'
    edges = sorted({edge for _, how, ranges in rows if how == "cover" for range_ in ranges for edge in range_[:2]})
    for edge in edges:
        yield f'<line x1="{x(edge):g}" y1="{TOP}" x2="{x(edge):g}" y2="{bottom - 8}" stroke="#2f7d43" stroke-dasharray="2 4"/>'
    for n, (what, how, ranges) in enumerate(rows):
        y = TOP + n * ROW
        if how is None:
            yield f'<text x="10" y="{y + 20}" font-weight="bold">{escape(what)}</text>'
            continue
        yield f'<text x="20" y="{y + 19}">{escape(what)}</text>'
        for range_ in ranges:
            yield from bar(*range_, how, y)
    yield from key(bottom - 4)
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(draw()))
