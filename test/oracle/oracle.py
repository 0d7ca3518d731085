#!/usr/bin/env python3
"""A second opinion on who is covered: the definition of effective coverage, computed by itself from the stated tables.

Random statements change a small portfolio; after each of them the stated tables are read, cover is computed here, day by
day, as plain sets of numbers, and checked against fleet.coverage row by row.  Nothing that the engine derives or records is
read to compute it: what rules decided on which day is remembered here.  README.md says what is known and what is not.

    oracle.py [--seeds N] [--first SEED] [--statements N] [--sessions SECONDS]

Prints TAP.  Needs psql on the path, the usual PG* variables, and CEC_CLOCK_FILE, the file by which the clock of the
server is moved (test/clock).
"""
import argparse
import datetime
import functools
import json
import os
import random
import re
import subprocess
import sys
import threading
import time

# Days are numbers: 0 is the edge that stands for all days before the window, LAST for all days after it.  No fact begins
# or ends on an edge, so that a range that reaches it has no bound there.
EPOCH = datetime.date(2026, 3, 1)
LAST = 60
ALL_DAYS = frozenset(range(LAST + 1))
FIRST_TODAY = 12

ASSETS, CONTRACTS, TERMS, TIERS, BUNDLES = 12, 4, 6, 3, 5
KINDS = ["warranty", "extended_warranty", "service", "lease"]


def day_text(number):
    return (EPOCH + datetime.timedelta(days=number)).isoformat()


def as_date(text):
    return datetime.date.fromisoformat(text) if text else None


def on_window(text):
    number = (datetime.date.fromisoformat(text) - EPOCH).days
    return min(max(number, 0), LAST)


RANGE = re.compile(r"([\[(])([^,\[\](){}]*),([^,\[\](){}]*)([\])])")


@functools.lru_cache(maxsize=None)
def days_of(text):
    """The days of a range or of a multirange, as the server prints them."""
    days = set()
    for _, lower, upper, _ in RANGE.findall(text):
        days.update(range(on_window(lower) if lower else 0, on_window(upper) if upper else LAST + 1))
    return frozenset(days)


# Conditions: what is asked, in SQL and here. Each answers True, False or None (unknown).

def both(one, other):
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def negated(one):
    return None if one is None else not one


def either(one, other):
    return negated(both(negated(one), negated(other)))


def known(value, judge):
    return None if value is None else judge(value)


def age_years(asset, as_of):
    """Completed years, 0 before the first day."""
    begun = as_date(asset["commissioned_on"])
    if begun is None:
        return None
    return max(0, as_of.year - begun.year - ((as_of.month, as_of.day) < (begun.month, begun.day)))


def tier_rank(fact):
    return fact["tier"]["rank"] if fact["tier"] else None


ATOMS = [
    ("country = 'DE'", lambda f: known(f["asset"]["country"], lambda v: v == "DE")),
    ("country IN ('DE', 'AT')", lambda f: known(f["asset"]["country"], lambda v: v in ("DE", "AT"))),
    ("country <> 'AT'", lambda f: known(f["asset"]["country"], lambda v: v != "AT")),
    ("country IS NULL", lambda f: f["asset"]["country"] is None),
    ("category = 'pump'", lambda f: known(f["asset"]["category"], lambda v: v == "pump")),
    ("category IN ('pump', 'motor')", lambda f: known(f["asset"]["category"], lambda v: v in ("pump", "motor"))),
    ("usage_type = 'production'", lambda f: known(f["asset"]["usage_type"], lambda v: v == "production")),
    ("serial_number = 'S-1'", lambda f: known(f["asset"]["serial_number"], lambda v: v == "S-1")),
    ("serial_number IS NOT NULL", lambda f: f["asset"]["serial_number"] is not None),
    ("status = 'in_repair'", lambda f: f["asset"]["status"] == "in_repair"),
    ("tier_rank >= 2", lambda f: known(tier_rank(f), lambda v: v >= 2)),
    ("tier_rank = 1", lambda f: known(tier_rank(f), lambda v: v == 1)),
    ("contract_kind = 'service'", lambda f: f["contract"]["kind"] == "service"),
    ("contract_number = 'C-1'", lambda f: f["contract"]["number"] == "C-1"),
    ("age_years < 2", lambda f: known(age_years(f["asset"], f["as_of"]), lambda v: v < 2)),
    ("age_years >= 1", lambda f: known(age_years(f["asset"], f["as_of"]), lambda v: v >= 1)),
    ("commissioned_on < as_of - 10", lambda f: known(as_date(f["asset"]["commissioned_on"]),
                                                     lambda v: v < f["as_of"] - datetime.timedelta(days=10))),
    ("as_of >= '2026-04-01'", lambda f: f["as_of"] >= datetime.date(2026, 4, 1)),
    ("decommissioned_on IS NULL", lambda f: f["asset"]["decommissioned_on"] is None),
]
CONDITIONS = {}


def random_condition(rng):
    text, judge = rng.choice(ATOMS)
    if rng.random() < 0.35:
        other_text, other = rng.choice(ATOMS)
        word, join = rng.choice([("AND", both), ("OR", either)])
        text, judge = f"{text} {word} {other_text}", (lambda f, a=judge, b=other, j=join: j(a(f), b(f)))
    elif rng.random() < 0.2:
        text, judge = f"NOT ({text})", (lambda f, a=judge: negated(a(f)))
    CONDITIONS[text] = judge
    return text


# The definition.

class Oracle:
    """Facts, what rules decided on which day, and what follows."""

    def __init__(self):
        self.decided = {}  # (rule_id, term_id, effect, asset_id): days on which the rule acts
        self.today = FIRST_TODAY
        self.facts = None
        self.cover, self.concerned = {}, {}  # concerned: by effect, pairs of asset and term

    def learn(self, facts, today):
        """Takes the facts as they are after a statement, on a day. Days that passed without one are decided one by one."""
        self.facts = {name: {row["key"]: row for row in rows or []} for name, rows in facts.items()}
        for day in range(min(self.today + 1, today), today + 1):
            self.decide(day)
        self.today = today

    def decide(self, day):
        """The last evaluation of a day decides it and all later ones; earlier days stay.

        Include rules decide about all assets, require rules about those that are listed on the term or that rules qualify
        for it, exclude rules about these and about those that inherit under it.  Who inherits follows from the cover of the
        primary, and that from what is decided about it: repeated until nothing changes.
        """
        facts = self.facts
        future = frozenset(range(day, LAST + 1))
        kept = {}
        for key, days in self.decided.items():
            if days - future and self.is_same_rule(key):
                kept[key] = days - future
        speaking = {"include": [], "require": [], "exclude": []}
        for rule in facts["coverage_rule"].values():
            coming = days_of(rule["during"]) & future
            if coming:
                for asset_id in self.spoken_for(rule, EPOCH + datetime.timedelta(days=day)):
                    speaking[rule["effect"]].append(((rule["key"], rule["term_id"], rule["effect"], asset_id), coming))
        self.decided = dict(kept)
        for key, coming in speaking["include"]:
            self.decided[key] = kept.get(key, frozenset()) | coming
        later = speaking["require"] + speaking["exclude"]
        concerned = None
        while True:
            self.cover = self.compute()
            if not later or concerned == self.concerned:
                break
            concerned = self.concerned
            for key, coming in later:
                if (key[3], key[1]) in concerned[key[2]]:
                    self.decided[key] = kept.get(key, frozenset()) | coming
                elif key in kept:
                    self.decided[key] = kept[key]
                else:
                    self.decided.pop(key, None)

    def is_same_rule(self, key):
        rule = self.facts["coverage_rule"].get(key[0])
        return rule is not None and (rule["term_id"], rule["effect"]) == key[1:3]

    def spoken_for(self, rule, as_of):
        """The assets on which a rule acts: whose condition is met, or of a require rule, is not."""
        facts = self.facts
        term = facts["coverage_term"][rule["term_id"]]
        fact = {"as_of": as_of, "contract": facts["contract"][term["contract_id"]], "tier": facts["service_tier"].get(term["tier_id"])}
        judge = CONDITIONS[rule["condition"]]
        for asset_id, asset in facts["asset"].items():
            fact["asset"] = asset
            met = judge(fact) if rule["state"] == "active" else None
            if met is None:
                # Unknown speaks against cover, unless allowed.
                met = (rule["on_unknown"] == "allow") == (rule["effect"] != "exclude")
            if met != (rule["effect"] == "require"):
                yield asset_id

    def base(self, term):
        contract = self.facts["contract"][term["contract_id"]]
        if contract["status"] in ("draft", "void"):
            return frozenset()
        return (days_of(term["during"]) & days_of(contract["during"])) - days_of(contract["suspensions"])

    def life(self, asset):
        first, last = asset["commissioned_on"], asset["decommissioned_on"]
        if first is None and asset["status"] == "planned":
            return frozenset()
        # The day of decommissioning is the last one.
        begins = on_window(first) if first else 0
        ends = on_window(last) if last else LAST
        return frozenset(range(begins, ends + 1)) - days_of(asset["out_of_service"])

    def compute(self):
        """For each asset and term: the days, and those that are stated, ruled, inherited among them."""
        facts, nothing = self.facts, frozenset()
        listed, carved = {}, {}
        for line in facts["inclusion"].values():
            where = listed if line["effect"] == "include" else carved
            pair = line["asset_id"], line["term_id"]
            where[pair] = where.get(pair, nothing) | days_of(line["during"])
        acts = {"include": {}, "require": {}, "exclude": {}}
        for (_, term_id, effect, asset_id), days in self.decided.items():
            pair = asset_id, term_id
            acts[effect][pair] = acts[effect].get(pair, nothing) | days
        life = {key: self.life(asset) for key, asset in facts["asset"].items()}
        groups = [(facts["bundle"][m["bundle_id"]]["primary_asset_id"], m["asset_id"], days_of(m["during"]))
                  for m in facts["bundle_member"].values()]
        result = {}
        self.concerned = {"require": set(listed) | set(acts["include"]), "exclude": set(listed) | set(acts["include"])}
        for term_id, term in facts["coverage_term"].items():
            base = self.base(term)
            if not base:
                continue
            own, may = {}, {}
            for asset_id in facts["asset"]:
                pair = asset_id, term_id
                may[asset_id] = (base & life[asset_id]) - carved.get(pair, nothing) - acts["exclude"].get(pair, nothing)
                unmet = acts["require"].get(pair, nothing)
                own[asset_id] = (listed.get(pair, nothing) - unmet, acts["include"].get(pair, nothing) - unmet)
            inherited = dict.fromkeys(facts["asset"], nothing)
            cover = {a: (own[a][0] | own[a][1]) & may[a] for a in own}
            growing = term["covers_bundles"]
            while growing:
                growing = False
                for primary, member, days in groups:
                    handed = (cover[primary] & days) - inherited[member]
                    if handed:
                        inherited[member] |= handed
                        more = cover[member] | (handed & may[member])
                        growing = growing or more != cover[member]
                        cover[member] = more
            self.concerned["exclude"].update((asset_id, term_id) for asset_id, days in inherited.items() if days)
            for asset_id, days in cover.items():
                if days:
                    result[asset_id, term_id] = (days, own[asset_id][0], own[asset_id][1], inherited[asset_id])
        return result

    def rows(self):
        """Cover as rows: maximal ranges of equal flags."""
        rows = set()
        for (asset_id, term_id), (days, stated, ruled, inherited) in self.cover.items():
            begun, before, last = None, None, None
            for day in sorted(days):
                flags = day in stated, day in ruled, day in inherited
                if begun is not None and (flags != before or day != last + 1):
                    rows.add((asset_id, term_id, begun, last) + before)
                    begun = None
                if begun is None:
                    begun, before = day, flags
                last = day
            rows.add((asset_id, term_id, begun, last) + before)
        return rows

    def covered_on(self, asset_id, day):
        """The covering terms of a day, best first."""
        found = []
        for row in self.rows():
            if row[0] == asset_id and row[2] <= day <= row[3]:
                term = self.facts["coverage_term"][row[1]]
                contract = self.facts["contract"][term["contract_id"]]
                tier = self.facts["service_tier"].get(term["tier_id"])
                _, _, _, last, stated, ruled, inherited = row
                found.append(((KINDS.index(contract["kind"]), 0 if stated else 1 if inherited else 2,
                               -tier["rank"] if tier else 10**9, contract["priority"], -last,
                               contract["number"], term["number"]), row[1]))
        return [term_id for _, term_id in sorted(found)]


# The server.

FACTS = {
    "service_tier": ("tier_id", "rank"),
    "contract": ("contract_id", "number", "kind", "status", "during", "suspensions", "priority"),
    "coverage_term": ("term_id", "contract_id", "number", "tier_id", "during", "covers_bundles"),
    "asset": ("asset_id", "asset_tag", "serial_number", "category", "usage_type", "status", "country", "commissioned_on",
              "decommissioned_on", "out_of_service"),
    "inclusion": ("inclusion_id", "term_id", "asset_id", "effect", "during"),
    "bundle": ("bundle_id", "primary_asset_id"),
    "bundle_member": ("member_id", "bundle_id", "asset_id", "during"),
    "coverage_rule": ("rule_id", "term_id", "effect", "condition", "during", "on_unknown", "state"),
}


def look_query(schema):
    tables = ", ".join(
        f"'{table}', (SELECT json_agg(json_build_object('key', {columns[0]}, "
        + ", ".join(f"'{c}', {c}" for c in columns[1:]) + f")) FROM {schema}.{table})" for table, columns in FACTS.items())
    return (f"SELECT json_build_object('facts', json_build_object({tables}), 'coverage', (SELECT json_agg(json_build_array("
            f"asset_id, term_id, during, is_stated, is_ruled, is_inherited)) FROM {schema}.coverage), 'at', clock_timestamp())")


class Session:
    """One psql, asked line by line."""

    def __init__(self, database):
        self.sent = self.again = 0
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=dict(os.environ, PGOPTIONS="-c client_min_messages=error"))
        self.ask("\\set VERBOSITY terse\n\\set SHOW_CONTEXT never")

    def ask(self, sql):
        """What was printed, line by line, and the SQLSTATE of the last statement."""
        self.psql.stdin.write(f"{sql}\n\\echo @@@ :SQLSTATE\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line.startswith("@@@ "):
                return lines, line[4:].strip()
            lines.append(line.rstrip("\n"))
        raise SystemExit("the server is gone: " + " ".join(lines))

    def must(self, sql):
        lines, state = self.ask(sql)
        if any(line.startswith("ERROR") for line in lines) or state != "00000":
            raise SystemExit(f"{sql}: {lines}")
        return lines

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def move_clock(day, hour=12):
    """Noon of that day, UTC, by the server's clock."""
    name = os.environ["CEC_CLOCK_FILE"]
    noon = datetime.datetime.combine(EPOCH + datetime.timedelta(days=day), datetime.time(hour), datetime.timezone.utc)
    with open(name + ".new", "w", encoding="ascii") as file:
        file.write(f"{noon.timestamp() - time.time():.6f}")
    os.replace(name + ".new", name)


# Random statements.

def quote(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


class Statements:
    """Random statements on a portfolio, from what is known of it."""

    # Key, how many rows about, and how often it is chosen.
    TABLES = {"asset": ("asset_id", ASSETS, 20), "contract": ("contract_id", CONTRACTS, 8), "coverage_term": ("term_id", TERMS, 8),
              "service_tier": ("tier_id", TIERS, 3), "inclusion": ("inclusion_id", 40, 30), "bundle": ("bundle_id", BUNDLES, 4),
              "bundle_member": ("member_id", 12, 12), "coverage_rule": ("rule_id", 10, 12)}
    REFERENCES = {"asset": (("inclusion", "asset_id"), ("bundle", "primary_asset_id"), ("bundle_member", "asset_id")),
                  "contract": (("coverage_term", "contract_id"),), "service_tier": (("coverage_term", "tier_id"),),
                  "coverage_term": (("inclusion", "term_id"), ("coverage_rule", "term_id")),
                  "bundle": (("bundle_member", "bundle_id"),), "inclusion": (), "bundle_member": (), "coverage_rule": ()}

    def __init__(self, schema, rng):
        self.schema, self.rng = schema, rng
        self.facts = {table: {} for table in FACTS}

    def day(self):
        return self.rng.randint(1, LAST - 1)

    def range_text(self, open_share=0.25):
        rng = self.rng
        first, last = sorted((self.day(), self.day()))
        if rng.random() < 0.02:
            last = first  # empty: refused
        elif first == last:
            last += 1
        last = min(last, LAST - 1)
        return "[" + ("" if rng.random() < open_share else day_text(first)) + "," + ("" if rng.random() < open_share else day_text(last)) + ")"

    def wide_range(self):
        return "[,)" if self.rng.random() < 0.2 else "[" + day_text(self.rng.randint(1, 15)) + "," + day_text(self.rng.randint(40, LAST - 1)) + ")"

    def days_text(self):
        return "{" + ",".join(self.range_text(0.05) for _ in range(self.rng.choice([0, 0, 1, 1, 2]))) + "}"

    def some_key(self, table, missing=0.03):
        keys = list(self.facts[table])
        if not keys or self.rng.random() < missing:
            return self.rng.randint(1, self.TABLES[table][1] + 3)
        return self.rng.choice(keys)

    def new_key(self, table):
        return self.rng.randint(1, int(self.TABLES[table][1] * 1.3) + 2)

    def value(self, table, column):
        rng = self.rng
        if column.endswith("_id"):
            of = {"tier_id": "service_tier", "contract_id": "contract", "term_id": "coverage_term", "asset_id": "asset",
                  "primary_asset_id": "asset", "bundle_id": "bundle"}[column]
            return None if column == "tier_id" and rng.random() < 0.3 else self.some_key(of)
        if column == "during":
            return self.wide_range() if table in ("contract", "coverage_term") and rng.random() < 0.8 else self.range_text()
        if column in ("suspensions", "out_of_service"):
            return self.days_text()
        if column == "commissioned_on":
            return rng.choice([None, None, day_text(self.day()), day_text(self.day() - 365), day_text(self.day() - 730), day_text(rng.randint(1, 10))])
        if column == "decommissioned_on":
            return rng.choice([None, None, None, day_text(self.day())])
        return {
            "asset_tag": lambda: f"A-{rng.randint(1, 30)}", "serial_number": lambda: rng.choice([None, "S-1", "S-2", f"S-{rng.randint(1, 99)}"]),
            "category": lambda: rng.choice([None, "pump", "motor", "fan"]), "usage_type": lambda: rng.choice([None, "production", "test"]),
            "country": lambda: rng.choice([None, "DE", "AT", "PL"]), "number": lambda: f"{'C' if table == 'contract' else 'T'}-{rng.randint(1, 9)}",
            "rank": lambda: rng.randint(1, 3), "code": lambda: f"tier {rng.randint(1, 9)}", "name": lambda: "some name", "customer_id": lambda: 1,
            "kind": lambda: rng.choice(KINDS), "priority": lambda: rng.randint(1, 3), "covers_bundles": lambda: rng.random() < 0.75,
            "status": lambda: rng.choice(["planned", "in_service", "in_service", "in_storage", "in_repair", "retired"]) if table == "asset"
            else rng.choice(["draft", "active", "active", "active", "terminated", "void"]),
            "effect": lambda: rng.choice(["include", "include", "include", "exclude"] if table == "inclusion" else ["include", "include", "require", "exclude"]),
            "condition": lambda: random_condition(rng), "on_unknown": lambda: rng.choice(["deny", "allow", "flag"]),
            "state": lambda: rng.choice(["active", "active", "active", "suspended"]),
        }[column]()

    COLUMNS = {"asset": ["asset_tag", "serial_number", "category", "usage_type", "status", "country", "commissioned_on", "decommissioned_on", "out_of_service"],
               "contract": ["number", "kind", "status", "during", "suspensions", "priority"],
               "coverage_term": ["contract_id", "number", "tier_id", "during", "covers_bundles"], "service_tier": ["code", "rank"],
               "inclusion": ["term_id", "asset_id", "effect", "during"], "bundle": ["primary_asset_id"],
               "bundle_member": ["bundle_id", "asset_id", "during"], "coverage_rule": ["term_id", "effect", "condition", "during", "on_unknown", "state"]}
    CONSTANT = {"contract": {"customer_id": 1}, "service_tier": {"name": "tier"}, "bundle": {"name": "bundle"}, "coverage_rule": {"name": "rule"}}

    def new_row(self, table, key=None):
        row = {self.TABLES[table][0]: self.new_key(table) if key is None else key, **self.CONSTANT.get(table, {})}
        row.update((column, self.value(table, column)) for column in self.COLUMNS[table])
        if table == "asset" and row["status"] == "retired" and self.rng.random() < 0.8:
            row["decommissioned_on"] = day_text(self.rng.randint(40, LAST - 1))
        return row

    def pick_table(self):
        names = list(self.TABLES)
        return self.rng.choices(names, [self.TABLES[name][2] for name in names])[0]

    def where(self, table):
        key, keys = self.TABLES[table][0], list(self.facts[table])
        if len(keys) > 2 and self.rng.random() < 0.25:
            return f"{key} IN ({', '.join(map(str, self.rng.sample(keys, self.rng.randint(2, min(len(keys), 5)))))})"
        if self.rng.random() < 0.05:
            return f"{key} % 3 = {self.rng.randint(0, 2)}"
        return f"{key} = {self.some_key(table)}"

    def columns_to_set(self, table):
        return self.rng.sample(self.COLUMNS[table], min(len(self.COLUMNS[table]), self.rng.choice([1, 1, 1, 2, 3])))

    def insert(self, table=None):
        rng = self.rng
        table = table or self.pick_table()
        rows = [self.new_row(table) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        key = self.TABLES[table][0]
        text = self.values_text(table, rows)
        dice = rng.random()
        if dice < 0.15:
            text += f" ON CONFLICT ({key}) DO NOTHING"
        elif dice < 0.55:
            text += f" ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f"{c} = EXCLUDED.{c}" for c in self.columns_to_set(table))
        return text

    def values_text(self, table, rows):
        return (f"INSERT INTO {self.schema}.{table} ({', '.join(rows[0])}) VALUES "
                + ", ".join("(" + ", ".join(map(quote, row.values())) + ")" for row in rows))

    def update(self, table=None):
        table = table or self.pick_table()
        changes = ", ".join(f"{c} = {quote(self.value(table, c))}" for c in self.columns_to_set(table))
        return f"UPDATE {self.schema}.{table} SET {changes} WHERE {self.where(table)}"

    def delete(self, table=None):
        table = table or self.rng.choice(["inclusion", "inclusion", "bundle_member", "bundle_member", "coverage_rule", "coverage_rule", self.pick_table()])
        return f"DELETE FROM {self.schema}.{table} WHERE {self.where(table)}"

    def merge(self):
        rng = self.rng
        table = self.pick_table()
        key = self.TABLES[table][0]
        rows = [self.new_row(table, k) for k in rng.sample(range(1, self.TABLES[table][1] + 4), rng.randint(1, 3))]
        values = ", ".join("(" + ", ".join(map(quote, row.values())) + ")" for row in rows)
        # VALUES knows no types.
        types = {"during": "daterange", "suspensions": "datemultirange", "out_of_service": "datemultirange", "commissioned_on": "date",
                 "decommissioned_on": "date", "tier_id": "bigint"}
        names = list(rows[0])
        cast = ", ".join(f"{n}::{types[n]} AS {n}" if n in types else n for n in names)
        source = f"(SELECT {cast} FROM (VALUES {values}) AS v ({', '.join(names)})) AS s"
        sets = ", ".join(f"{c} = s.{c}" for c in self.columns_to_set(table))
        gone = f" WHEN MATCHED AND t.{key} % 4 = {rng.randint(0, 3)} THEN DELETE" if rng.random() < 0.3 else ""
        return (f"MERGE INTO {self.schema}.{table} AS t USING {source} ON t.{key} = s.{key}{gone}"
                f" WHEN MATCHED THEN UPDATE SET {sets}"
                f" WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join('s.' + n for n in names)})")

    def with_several(self):
        """Several tables in one statement."""
        rng = self.rng
        tables = rng.sample(list(self.TABLES), rng.randint(2, 4))
        parts = []
        for table in tables:
            parts.append(rng.choice([self.insert, self.update, self.update, self.delete])(table))
        return "WITH " + ", ".join(f"s{n} AS ({part})" for n, part in enumerate(parts[:-1])) + " " + parts[-1]

    def move_key(self):
        """A row gets another key, and those that refer to it with it; now and then they are forgotten."""
        table = self.pick_table()
        key, old, new = self.TABLES[table][0], self.some_key(table), self.new_key(table)
        parts = [f"UPDATE {self.schema}.{t} SET {c} = {new} WHERE {c} = {old}" for t, c in self.REFERENCES[table]]
        if self.rng.random() < 0.1:
            parts = []
        main = f"UPDATE {self.schema}.{table} SET {key} = {new} WHERE {key} = {old}"
        parts.append(main)
        self.rng.shuffle(parts)
        return ("WITH " + ", ".join(f"s{n} AS ({part})" for n, part in enumerate(parts[:-1])) + " " if parts[1:] else "") + parts[-1]

    def settings(self):
        return f"UPDATE {self.schema}.setting SET duplicates_allowed = {quote(self.rng.random() < 0.7)}"

    def one(self):
        choices = [(self.insert, 30), (self.update, 40), (self.delete, 12), (self.merge, 8), (self.with_several, 9), (self.move_key, 4), (self.settings, 1)]
        return self.rng.choices([c for c, _ in choices], [w for _, w in choices])[0]()

    def several(self):
        """What is sent at once, and how many statements of tables are in it: mostly one, or a transaction."""
        dice = self.rng.random()
        if dice < 0.9:
            return [self.one()], 1
        inside = [self.one() for _ in range(self.rng.randint(2, 4))]
        if self.rng.random() < 0.4:
            inside.insert(self.rng.randint(1, len(inside) - 1), "SAVEPOINT here")
            inside.append("ROLLBACK TO here")
            inside.append(self.one())
        made = sum(1 for s in inside if "here" not in s)
        return ["BEGIN"] + inside + [self.rng.choice(["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"])], made

    def begin(self):
        """The portfolio at first."""
        rng = self.rng
        texts = [f"INSERT INTO {self.schema}.customer (customer_id, name) VALUES (1, 'Acme')"]
        for table, number in (("service_tier", TIERS), ("asset", ASSETS), ("contract", CONTRACTS), ("coverage_term", TERMS), ("bundle", BUNDLES)):
            for key in range(1, number + 1):
                row = self.new_row(table, key)
                if "asset_tag" in row:
                    row.update(asset_tag=f"A-{key}", serial_number=None, status="in_service", decommissioned_on=None, commissioned_on=None)
                if "code" in row:
                    row.update(code=f"tier {key}", rank=key)
                if table == "contract":
                    row.update(number=f"C-{key}", status="active", during=f"[{day_text(rng.randint(1, 9))},)")
                if table == "coverage_term":
                    row.update(number=f"T-{key}", contract_id=1 + key % CONTRACTS, during="[,)", tier_id=rng.choice([None, 1, 2, 3]))
                if table == "bundle":
                    row.update(primary_asset_id=key)
                texts.append(self.values_text(table, [row]))
                self.facts[table][key] = row
        return texts


# One seed.

def stored_rows(looked):
    rows = []
    for asset_id, term_id, during, stated, ruled, inherited in looked["coverage"] or []:
        days = days_of(during)
        if days:  # else all of it lies before the window: assets are commissioned there, too
            rows.append((asset_id, term_id, min(days), max(days), stated, ruled, inherited))
    return rows


def differences(wanted, stored):
    found = [f"missing {row}" for row in sorted(wanted - set(stored))] + [f"extra {row}" for row in sorted(set(stored) - wanted)]
    if len(stored) != len(set(stored)):
        found.append("a row twice")
    return found


class Report:
    def __init__(self):
        self.tests = self.failed = 0

    def take(self, name, found, how=()):
        self.tests += 1
        if not found:
            print(f"ok {self.tests} - {name}", flush=True)
            return
        self.failed += 1
        print(f"not ok {self.tests} - {name}", flush=True)
        for line in list(found)[:12] + list(how):
            print(f"#   {line}", flush=True)


NOT_UNDERSTOOD = re.compile(r"syntax error|(column|relation) .* does not exist$|of type|internal error|cache lookup|could not find|unexpected|server closed")


class Trial:
    """A new portfolio and what the oracle thinks of it; statements are done step by step."""

    def __init__(self, session, schema="fleet"):
        self.session, self.schema = session, schema
        self.oracle, self.counts = Oracle(), {"sent": 0, "refused": 0, "rows": 0, "asked": 0}
        self.at = None
        move_clock(FIRST_TODAY)
        session.ask("ROLLBACK;")
        session.ask("DEALLOCATE ALL;")
        session.ask(f"SELECT cec.drop_portfolio('{schema}', '{schema}');")
        session.must(f"SELECT cec.create_portfolio('{schema}');")
        session.must(f"SELECT count(*) FROM {schema}.refresh();")
        session.must(f"PREPARE look AS {look_query(schema)};")

    def step(self, today, texts, question=None):
        """Does statements on a day; the differences after them, and what was refused. A question is (asset_id, day)."""
        if today != self.oracle.today:
            move_clock(today)
            texts = [f"SELECT count(*) FROM {self.schema}.refresh()"] + texts
        asked = (f"\nSELECT 'asked ' || coalesce(string_agg(c.term_id::text, ',' ORDER BY c.rank), '') FROM {self.schema}.asset AS a,"
                 f" LATERAL {self.schema}.covered_on(a.asset_tag, '{day_text(question[1])}') AS c WHERE a.asset_id = {question[0]}"
                 f" AND c.asset_id = a.asset_id;" if question else "")
        lines, _ = self.session.ask("".join(text + ";\n" for text in texts) + "EXECUTE look;" + asked)
        refused = [line for line in lines if line.startswith("ERROR") and "current transaction is aborted" not in line]
        looked = next((json.loads(line) for line in lines if line.startswith("{")), None)
        if looked is None:
            return ["cannot look: " + " ".join(lines)], refused
        found = ["this should have been understood: " + line for line in refused if NOT_UNDERSTOOD.search(line)]
        self.at = looked["at"]
        self.oracle.learn(looked["facts"], today)
        stored = stored_rows(looked)
        found += differences(self.oracle.rows(), stored)
        self.counts["rows"] += len(stored)
        if question and question[0] in self.oracle.facts["asset"]:
            answer = next((line[6:] for line in lines if line.startswith("asked ")), None)
            best = ",".join(map(str, self.oracle.covered_on(*question)))
            self.counts["asked"] += 1
            if answer != best:
                found.append(f"covered_on {question}: {answer} instead of {best}")
        return found, refused

    def as_of(self, at, day, wanted):
        """Differences between what was believed at an instant about a day, and what the oracle computed then."""
        lines = self.session.must(
            "SELECT json_agg(json_build_array(asset_id, term_id, valid_from, last_day, is_stated, is_ruled, is_inherited))"
            f" FROM {self.schema}.coverage_as_of('{day_text(day)}', '{at}');")
        believed = [(a, t, on_window(f) if f else 0, on_window(l) if l else LAST, s, r, i)
                    for a, t, f, l, s, r, i in (json.loads(lines[0]) if lines and lines[0] else [])]
        self.counts["asked"] += 1
        found = differences(wanted, believed)
        return [f"coverage_as_of {day_text(day)}, known at {at}"] + found if found else []


def run_seed(session, seed, number):
    """Returns counts, the first differences, and the steps that led to them: (day, statements, question)."""
    rng = random.Random(seed)
    trial, statements, today = Trial(session), Statements("fleet", rng), FIRST_TODAY
    counts, oracle = trial.counts, trial.oracle
    steps, remembered = [], []
    for text in statements.begin():
        steps.append((today, [text], None))
        found, refused = trial.step(*steps[-1])
        if found or refused:
            return counts, found or refused, steps
    while counts["sent"] < number:
        statements.facts = oracle.facts
        texts, made = statements.several()
        if rng.random() < 0.02 and today < LAST - 5:
            today += rng.choice([1, 1, 1, 2, 3])
            texts, made = [], 0
        question = None
        if rng.random() < 0.25 and oracle.facts["asset"]:
            question = rng.choice(list(oracle.facts["asset"])), rng.randint(1, LAST - 1)
            several = [(asset_id, day) for (asset_id, term_id), row in oracle.cover.items() for day in row[0]
                       if 0 < day < LAST and any(day in days[0] for (a, t), days in oracle.cover.items() if a == asset_id and t != term_id)]
            if several and rng.random() < 0.8:
                question = rng.choice(several)
        steps.append((today, texts, question))
        found, refused = trial.step(*steps[-1])
        counts["sent"] += made
        counts["refused"] += len(refused)
        if found:
            return counts, found, steps
        if rng.random() < 0.02:
            day = rng.randint(1, LAST - 1)
            remembered.append((trial.at, day, {row for row in oracle.rows() if row[2] <= day <= row[3]}))
    for memory in remembered[-12:]:
        found = trial.as_of(*memory)
        if found:
            return counts, found, steps
    return counts, [], steps


def reduce_steps(session, steps, seconds=120):
    """Fewer steps that still end in a difference, as few as are found in that time."""
    until = time.monotonic() + seconds
    def differ(tried):
        trial = Trial(session)
        for number, step in enumerate(tried):
            if trial.step(*step)[0]:
                return tried[:number + 1]
        return None

    steps = differ(steps)
    size = len(steps) // 2 if steps else 0
    while steps and size:
        place = 0
        while place < len(steps) and time.monotonic() < until:
            fewer = differ(steps[:place] + steps[place + size:])
            if fewer:
                steps = fewer
            else:
                place += size
        size = size // 2 if size > 1 else 0
    return steps


def work_until(until, session, seed, errors):
    """One of several sessions at once: random statements, tried again where the server says so."""
    rng = random.Random(seed)
    statements = Statements("fleet", rng)
    while time.monotonic() < until and not errors:
        try:
            if rng.random() < 0.05 or not statements.facts["asset"]:
                lines, _ = session.ask("EXECUTE look;")
                looked = json.loads(lines[0])
                statements.facts = {name: {row["key"]: row for row in rows or []} for name, rows in looked["facts"].items()}
            texts, made = statements.several()
            if rng.random() < 0.2 and texts[0] == "BEGIN":
                texts[0] = f"BEGIN ISOLATION LEVEL {rng.choice(['REPEATABLE READ', 'SERIALIZABLE'])}"
            for _ in range(20):
                lines, _ = session.ask("".join(text + ";\n" for text in texts) + "ROLLBACK;" * (made != 1))
                session.sent += made
                wrong = [line for line in lines if line.startswith("ERROR")]
                if not any(re.search("deadlock detected|could not serialize", line) for line in wrong):
                    break
                session.again += 1
            errors += ["this should have been understood: " + line for line in wrong if NOT_UNDERSTOOD.search(line)]
        except Exception as failure:  # told by the thread that started this one
            errors.append(repr(failure))


def run_sessions(session, database, seconds, number=5):
    """Several sessions at once, in rounds; after each the oracle looks. One day, so that it does not matter when what was decided."""
    rng = random.Random(1)
    trial = Trial(session)
    for text in Statements("fleet", rng).begin():
        session.must(text + ";")
    others = [Session(database) for _ in range(number)]
    for other in others:
        other.must(f"PREPARE look AS {look_query('fleet')};")
    rounds, errors, found = 0, [], []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not errors and not found:
        until = min(end, time.monotonic() + 10)
        threads = [threading.Thread(target=work_until, args=(until, other, rng.random(), errors)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found, _ = trial.step(FIRST_TODAY, [])
        rounds += 1
    for other in others:
        other.close()
    return (f"{number} sessions at once for {seconds} s: {sum(o.sent for o in others)} statements, {sum(o.again for o in others)} tried again, "
            f"as defined at {rounds} quiet points"), errors + found


def script(steps):
    """Steps as SQL, with the day of each."""
    lines, today = [], FIRST_TODAY
    for day, texts, _ in steps:
        if day != today:
            lines.append(f"-- noon of {day_text(day)}, and refresh")
        today = day
        lines += [text + ";" for text in texts]
    return [f"-- noon of {day_text(FIRST_TODAY)}"] + lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("CEC_SEEDS", "5")))
    parser.add_argument("--first", type=float, default=float(os.environ.get("CEC_SEED", "1")))
    parser.add_argument("--statements", type=int, default=int(os.environ.get("CEC_STATEMENTS", "200")))
    parser.add_argument("--reduce", action="store_true", help="where a seed differs, look for few statements that do")
    parser.add_argument("--sessions", type=float, default=float(os.environ.get("CEC_SESSION_SECONDS", "0")), metavar="SECONDS",
                        help="afterwards, five sessions at once for so long")
    asked = parser.parse_args()
    subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c", "DROP DATABASE IF EXISTS oracle", "-c", "CREATE DATABASE oracle"], check=True,
                   env=dict(os.environ, PGOPTIONS="-c client_min_messages=error"))
    move_clock(FIRST_TODAY)
    session = Session("oracle")
    session.must("CREATE EXTENSION cec CASCADE;")
    report = Report()
    for seed in (asked.first + number for number in range(asked.seeds)):
        begun = time.monotonic()
        counts, found, steps = run_seed(session, seed, asked.statements)
        report.take(f"seed {seed:g}: {counts['sent']} statements, {counts['refused']} refused, {counts['rows']} rows and "
                    f"{counts['asked']} answers as defined, {time.monotonic() - begun:.1f} s", found, script(steps[-2:]))
        if found and asked.reduce:
            few = reduce_steps(session, steps)
            for line in script(few) if few else ["does not differ when it is done again"]:
                print(f"#   {line}", flush=True)
    if asked.sessions > 0:
        name, found = run_sessions(session, "oracle", asked.sessions)
        report.take(name, found)
    print(f"1..{report.tests}")
    session.close()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
