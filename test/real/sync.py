#!/usr/bin/env python3
"""Syncs a real register of one month, and then that of the next.

The register of August (CEC_DATA/register-2024-08.csv) is staged and synced as a snapshot, all of it is listed, and then that of September
is staged and synced: once with the ids of the records in their sources and the EIC codes, once in another portfolio without either.  What
becomes of each row and of each asset that is gone, what each asset is called afterwards, and what is rejected is computed here from the
files alone, by the rules of the documents.

The same batch again changes nothing, a feed that is cut in half is refused, what a preview says row by row is what then happens, and
what is covered afterwards is what lives on.  Of what is gone and listed there are drafts of amendments: one that lists all says to remove it,
one that lists about half of them to put the asset in its place that the source has instead; they are applied.

Prints TAP.  Needs psql on the path and the usual PG* variables; CEC_DATA is the folder of the files.
"""
import collections
import datetime
import json
import os
import sys
import time

import register
from register import FOLDER, comment, copy_text, is_equal, is_refused, read_register

DATABASE = "real_sync"
COLUMNS = ("asset_tag", "category", "status", "country", "longitude", "latitude", "commissioned_on", "decommissioned_on", "attributes",
           "identifiers", "source_ids")
LIVING = "status <> 'retired'"


def run(sql, rows=None):
    return register.run(sql, rows, database=DATABASE)


def year(text):
    """The year 0000 is none."""
    return int(text) or None if text else None


class Plant:
    """A row of a register, as it is staged."""

    def __init__(self, row, today, with_ids):
        self.tag = row["asset_tag"]
        self.row = row
        first, last = year(row["commissioned"]), year(row["decommissioned"])
        self.first_day = datetime.date(first, 1, 1) if first else None
        self.last_day = datetime.date(last, 12, 31) if last else None
        self.is_retired = self.last_day is not None and self.last_day < today
        self.is_backwards = self.first_day is not None and self.last_day is not None and self.last_day < self.first_day
        self.names = set()
        if with_ids:
            self.names |= {("eic", code) for code in row["eic"].split("|") if code}
            self.names |= {("source_id:plants", name) for name in row["source_ids"].split("|") if name}
        # What the register knows of it besides; a year that the feed leaves out stays.
        self.attributes = {"name": row["name"], "capacity_mw": row["capacity_mw"]}

    def staged(self):
        codes = sorted(value for scheme, value in self.names if scheme == "eic")
        ids = sorted(value for scheme, value in self.names if scheme != "eic")
        return (self.tag, self.row["fuel"], "retired" if self.is_retired else "in_service", self.row["country"], self.row["lon"], self.row["lat"],
                self.first_day, self.last_day, json.dumps(self.attributes), json.dumps({"eic": codes}) if codes else None,
                "{" + ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in ids) + "}" if ids else None)


class Register:
    """What is to be there: assets by the tag that they had first, and what they are called."""

    def __init__(self):
        self.tag = {}        # of an asset, by its first tag
        self.plant = {}      # the row that it was made from last
        self.is_retired = {}
        self.names = {}      # an identifier: whose it is
        self.former = {}
        self.left = {}       # what the last sync retired, and the tag that the source has it under; None: it has it no more

    def sync(self, plants):
        """Returns how many there are of each outcome, and what is rejected: (tag, constraint)."""
        outcome = collections.Counter(rejected=0)
        rejected = []
        self.reappeared = 0
        staged = {plant.tag for plant in plants}
        good = []
        for plant in plants:
            if plant.is_backwards:
                rejected.append((plant.tag, "asset_commissioned_before_decommissioned"))
            else:
                good.append(plant)
        holder = {tag: asset for asset, tag in self.tag.items()}
        asset_of = {plant.tag: holder[plant.tag] for plant in good if plant.tag in holder}
        gone = [asset for asset, tag in self.tag.items() if tag not in staged]

        # Whom each of those that are gone shares most with.
        named = collections.defaultdict(set)
        for plant in plants:
            for name in plant.names:
                named[name].add(plant.tag)
        names_of = collections.defaultdict(set)
        for name, asset in self.names.items():
            names_of[asset].add(name)
        takes = {}
        for asset in gone:
            shared = collections.Counter(tag for name in names_of[asset] for tag in named[name])
            if shared:
                most = max(shared.values())
                takes[asset] = (min(tag for tag, number in shared.items() if number == most), most)
        renamed = {}
        for asset, (tag, number) in sorted(takes.items(), key=lambda item: (-item[1][1], self.tag[item[0]])):
            if tag not in holder and tag not in renamed:
                renamed[tag] = asset
        old = {}
        for tag, asset in renamed.items():
            asset_of[tag] = asset
            old[asset] = self.tag[asset]
            self.former[asset] = self.tag[asset]
            self.tag[asset] = tag
        lost = set()
        self.left = {}
        for asset in gone:
            if asset in old:
                continue
            if asset in takes:
                outcome["merged"] += 1
                self.is_retired[asset] = True
                self.left[asset] = takes[asset][0]
                lost |= names_of[asset]
            elif not self.is_retired[asset]:
                outcome["retired"] += 1
                self.is_retired[asset] = True
                self.left[asset] = None
                lost |= names_of[asset]

        # Identifiers end before new ones are written, of schemes that the row names.
        for plant in good:
            asset = asset_of.get(plant.tag)
            schemes = {scheme for scheme, _ in plant.names}
            if asset is not None:
                lost |= {name for name in names_of[asset] if name[0] in schemes and name not in plant.names}
        changed = {self.names[name] for name in lost}
        for name in lost:
            del self.names[name]
        for plant in sorted(good, key=lambda plant: plant.tag.encode()):
            asset = asset_of.setdefault(plant.tag, plant.tag)
            for name in sorted(plant.names):
                owner = self.names.setdefault(name, asset)
                if owner != asset:
                    rejected.append((plant.tag, "asset_identifier_names_one_asset"))
                elif name not in names_of[asset]:
                    changed.add(asset)

        for plant in good:
            asset = asset_of[plant.tag]
            before = self.plant.get(asset)
            if before is None:
                outcome["inserted"] += 1
                self.tag[asset] = plant.tag
            elif asset in old:
                outcome["retagged"] += 1
            elif self.is_retired[asset] and not plant.is_retired:
                outcome["reappeared"] += 1
            elif self.differs(asset, plant) or asset in changed:
                outcome["updated"] += 1
            else:
                outcome["unchanged"] += 1
            if before is not None:  # NULL says nothing
                plant.first_day = plant.first_day or before.first_day
                plant.last_day = plant.last_day or before.last_day
                for column in ("fuel", "country"):
                    plant.row[column] = plant.row[column] or before.row[column]
            self.reappeared += before is not None and self.is_retired[asset] and not plant.is_retired
            self.plant[asset] = plant
            self.is_retired[asset] = plant.is_retired
        outcome["rejected"] = len(rejected)
        return {name: number for name, number in outcome.items() if number}, sorted(rejected)

    def differs(self, asset, plant):
        before = self.plant[asset]
        return (any(new is not None and new != old for new, old in ((plant.first_day, before.first_day), (plant.last_day, before.last_day)))
                or any(plant.row[column] and plant.row[column] != before.row[column] for column in ("fuel", "country"))
                or tuple(float(plant.row[column]) for column in ("lon", "lat")) != tuple(float(before.row[column]) for column in ("lon", "lat"))
                or plant.attributes != before.attributes or plant.is_retired != before.is_retired)

    def state(self):
        """What each asset is called, and whether it lives, by the tag that it had first."""
        return {self.tag[asset]: (self.is_retired[asset], self.former.get(asset, "")) for asset in self.tag}

    def all_names(self):
        return {(self.tag[asset],) + name for name, asset in self.names.items()}


def stage(portfolio, plants):
    started = time.monotonic()
    run(f"ALTER TABLE {portfolio}.asset_staging ALTER source SET DEFAULT 'plants';"
        f"COPY {portfolio}.asset_staging ({', '.join(COLUMNS)}) FROM STDIN;", (plant.staged() for plant in plants))
    comment(f"COPY of {len(plants)} rows to the staging table: {time.monotonic() - started:.1f} s")


def counts(lines):
    return {name: int(number) for name, number in lines if int(number)}


def sums(portfolio):
    """Whatever changed would show in this."""
    return run(f"SELECT (SELECT md5(string_agg(a::text, ',' ORDER BY asset_id)) FROM {portfolio}.asset a),"
               f" (SELECT md5(string_agg(i::text, ',' ORDER BY asset_identifier_id)) FROM {portfolio}.asset_identifier i),"
               f" (SELECT count(*) FROM {portfolio}.audit_log), (SELECT count(*) FROM {portfolio}.coverage),"
               f" (SELECT count(*) FROM {portfolio}.finding);")


def sync(name, portfolio, known, plants):
    """Previews and syncs what is staged; holds both against what is to be."""
    wanted, rejected = known.sync(plants)
    shown = run("SELECT outcome, count(*) FROM {0}.sync_preview('plants', 'snapshot') GROUP BY 1;".format(portfolio))
    is_equal(f"{name}: previewed", counts(shown), wanted)
    before = sums(portfolio)
    is_equal("  counted by a dry run", counts(run(f"SELECT * FROM {portfolio}.sync_assets('plants', 'snapshot', true);")), wanted)
    is_equal("  which changed nothing", sums(portfolio), before)
    # What each row of the preview says of its asset, and what is then in the log of it.
    started = time.monotonic()
    lines = run(f"CREATE TEMPORARY TABLE preview AS SELECT p.*, a.asset_tag AS old_tag, a.status AS old_status FROM {portfolio}.sync_preview('plants', 'snapshot') p LEFT JOIN {portfolio}.asset a USING (asset_id);"
                f"CREATE TEMPORARY TABLE mark AS SELECT coalesce(max(audit_id), 0) AS audit_id FROM {portfolio}.audit_log;"
                f"CREATE TEMPORARY TABLE outcome AS SELECT * FROM {portfolio}.sync_assets('plants', 'snapshot');"
                "CREATE TEMPORARY TABLE changed AS SELECT c.asset_id, c.operation, array_agg(DISTINCT CASE c.table_name WHEN 'asset_identifier' THEN 'identifiers' ELSE c.column_name END) AS columns"
                f" FROM {portfolio}.audit_change c, mark m WHERE c.audit_id > m.audit_id AND c.table_name IN ('asset', 'asset_identifier') AND (c.operation = 'UPDATE' OR c.table_name = 'asset_identifier') GROUP BY 1, 2;"
                "ANALYZE changed;ANALYZE preview;"
                "SELECT outcome, assets FROM outcome;"
                # Of assets that were there: the columns that were said to change did, and no others.
                "SELECT 'differing', count(*) FROM (SELECT p.asset_id, c FROM preview p, unnest(p.columns) AS c WHERE p.asset_id IS NOT NULL AND p.outcome <> 'rejected'"
                " EXCEPT SELECT asset_id, unnest(columns) FROM changed) AS d;"
                "SELECT 'unsaid', count(*) FROM (SELECT c.asset_id, unnest(c.columns) FROM changed c JOIN (SELECT DISTINCT asset_id FROM preview) AS p USING (asset_id)"
                " EXCEPT SELECT p.asset_id, c FROM preview p, unnest(p.columns) AS c WHERE p.outcome <> 'rejected') AS d;"
                f"SELECT 'not made', count(*) FROM preview p LEFT JOIN {portfolio}.asset a USING (asset_tag) WHERE p.outcome = 'inserted' AND a.asset_id IS NULL;"
                f"SELECT 'not refused', count(*) FROM (SELECT asset_tag, message FROM preview WHERE outcome = 'rejected' EXCEPT ALL SELECT asset_tag, message FROM {portfolio}.sync_reject"
                f" WHERE sync_run_id = (SELECT max(sync_run_id) FROM {portfolio}.sync_run)) AS d;")
    comment(f"a preview, and the sync of {len(plants)} rows: {time.monotonic() - started:.1f} s")
    got = dict(lines)
    laws = {key: got.pop(key) for key in ("differing", "unsaid", "not made", "not refused")}
    is_equal("  done", counts(got.items()), wanted)
    is_equal("  as the preview said, row by row", laws, dict.fromkeys(laws, "0"))
    is_equal("  what is rejected", [tuple(line) for line in run(
        f"SELECT asset_tag, constraint_name FROM {portfolio}.sync_reject WHERE sync_run_id = (SELECT max(sync_run_id) FROM {portfolio}.sync_run)"
        " ORDER BY 1, 2;")], rejected)
    is_equal("  nothing is left in staging", run(f"SELECT count(*) FROM {portfolio}.asset_staging;"), [["0"]])
    is_equal("  what assets are called, and which live", {tag: (status == "t", former) for tag, status, former in run(
        f"SELECT a.asset_tag, a.status = 'retired', coalesce(i.value, '') FROM {portfolio}.asset a"
        f" LEFT JOIN {portfolio}.asset_identifier i ON i.asset_id = a.asset_id AND i.scheme = 'former_tag';")}, known.state())
    is_equal("  and their other identifiers today", {tuple(line) for line in run(
        f"SELECT a.asset_tag, i.scheme, i.value FROM {portfolio}.asset_identifier i JOIN {portfolio}.asset a USING (asset_id)"
        f" WHERE i.scheme <> 'former_tag' AND i.during @> cec.today('{portfolio}');")}, known.all_names())
    return wanted


def again(portfolio, plants):
    """The same once more."""
    stage(portfolio, plants)
    before = sums(portfolio)
    got = counts(run(f"SELECT * FROM {portfolio}.sync_assets('plants', 'snapshot');"))
    is_equal("the same batch again: nothing but what was rejected is more than unchanged", set(got) - {"unchanged", "rejected"}, set())
    is_equal("  and nothing has changed", sums(portfolio), before)


def list_all(portfolio):
    run(f"INSERT INTO {portfolio}.customer (name) VALUES ('Operators');"
        f"INSERT INTO {portfolio}.contract (number, customer_id, status, during) SELECT 'ALL', customer_id, 'active', '[2020-01-01,)' FROM {portfolio}.customer;"
        f"INSERT INTO {portfolio}.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM {portfolio}.contract;"
        f"INSERT INTO {portfolio}.inclusion (term_id, asset_id, during) SELECT t.term_id, a.asset_id, '[2020-01-01,)' FROM {portfolio}.asset a, {portfolio}.coverage_term t"
        f" WHERE a.{LIVING};")


def is_in_half(tag):
    return ord(tag[-1]) % 2 == 0


def list_half(portfolio):
    run(f"INSERT INTO {portfolio}.contract (number, customer_id, status, kind, during) SELECT 'HALF', customer_id, 'active', 'warranty', '[2020-01-01,2090-01-01)' FROM {portfolio}.customer;"
        f"INSERT INTO {portfolio}.coverage_term (contract_id, number, during) SELECT contract_id, '1', during FROM {portfolio}.contract WHERE number = 'HALF';"
        f"INSERT INTO {portfolio}.inclusion (term_id, asset_id, during) SELECT {portfolio}.find_term('HALF'), asset_id, '[2020-01-01,)' FROM {portfolio}.asset"
        f" WHERE {LIVING} AND ascii(right(asset_tag, 1)) % 2 = 0;")


def consequences(known, contract, listed):
    """Lines of the draft for a contract that lists these, by the tags that assets have now: (contract, action, tag, successor)."""
    stands = {known.tag[asset] for asset in listed} | {known.tag[asset] for asset in known.tag if known.is_retired[asset]}
    lines = set()
    for asset, successor in sorted(known.left.items(), key=lambda item: known.tag[item[0]].encode()):
        if asset in listed:
            is_swap = successor is not None and successor not in stands
            lines.add((contract, "swap" if is_swap else "remove", known.tag[asset], successor if is_swap else ""))
            stands.add(successor)
    return lines


def drafted(portfolio):
    return {tuple(line) for line in run(
        f"SELECT c.number, l.action, l.identifier, coalesce(l.successor_identifier, '') FROM {portfolio}.amendment m JOIN {portfolio}.amendment_line l USING (amendment_id)"
        f" JOIN {portfolio}.contract c USING (contract_id);")}


def apply_drafts(portfolio, known, listed, half, come):
    """Submits, approves and applies what was drafted; what is listed then."""
    started = time.monotonic()
    run(f"SELECT {portfolio}.submit_amendment(amendment_id), {portfolio}.approve_amendment(amendment_id) FROM {portfolio}.amendment;")
    told = run(f"SELECT a.status, a.message FROM {portfolio}.amendment m CROSS JOIN LATERAL {portfolio}.apply_amendment(m.amendment_id) AS a;")
    comment(f"applied: {time.monotonic() - started:.1f} s")
    is_equal("  the drafts are ready to be applied", told, [["applied", ""], ["applied", ""]])
    is_equal("  no list runs past a retirement, but of those that have another tag and are retired", {line[0] for line in run(
        f"SELECT a.asset_tag FROM {portfolio}.finding f JOIN {portfolio}.asset a USING (asset_id) WHERE f.kind IN ('outlives_decommissioning', 'decommissioned_before_activation') AND f.closed_at IS NULL"
        " AND a.status = 'retired';")}, {known.tag[asset] for asset in listed if known.is_retired[asset] and asset not in known.left})
    is_equal("  and the half has those that stand in the place of others", {line[0] for line in run(
        f"SELECT a.asset_tag FROM {portfolio}.inclusion i JOIN {portfolio}.asset a USING (asset_id) WHERE i.term_id = {portfolio}.find_term('HALF') AND upper_inf(i.during);")},
        {known.tag[asset] for asset in half if asset not in known.left} | come)


def covered(portfolio):
    return {line[0] for line in run(f"SELECT DISTINCT a.asset_tag FROM {portfolio}.coverage v JOIN {portfolio}.asset a USING (asset_id)"
                                    f" WHERE v.during @> cec.today('{portfolio}') + 1;")}


def with_ids(today):
    """Both registers with ids and codes."""
    portfolio = "fleet"
    known = Register()
    august, september = ([Plant(row, today, True) for row in read_register(month)] for month in ("08", "09"))
    stage(portfolio, august)
    sync("August", portfolio, known, august)
    again(portfolio, [Plant(row, today, True) for row in read_register("08")])
    list_all(portfolio)
    list_half(portfolio)
    tomorrow = today + datetime.timedelta(days=1)
    listed = {asset for asset in known.tag if not known.is_retired[asset]}
    half = {asset for asset in listed if is_in_half(known.tag[asset])}

    stage(portfolio, september[:len(september) // 2])
    before = sums(portfolio)
    is_refused_here("a feed cut in half: refused", f"SELECT * FROM {portfolio}.sync_assets('plants', 'snapshot');", "23514", "asset_source_retire_fraction")
    is_refused_here("  and not shown", f"SELECT * FROM {portfolio}.sync_preview('plants', 'snapshot');", "23514", "asset_source_retire_fraction")
    is_refused_here("  nor one that is short of rows", f"SELECT * FROM {portfolio}.sync_assets('plants', 'snapshot', expected_rows => {len(september)});",
                    "23514", "asset_source_expected_rows")
    is_equal("  nothing has changed", sums(portfolio), before)
    run(f"DELETE FROM {portfolio}.asset_staging;")

    stage(portfolio, september)
    got = sync("September", portfolio, known, september)
    is_equal("  of 203 tags that are gone", {name: got[name] for name in ("retagged", "merged", "retired")}, {"retagged": 46, "merged": 156, "retired": 1})
    is_equal("  findings", counts(run(f"SELECT kind, count(*) FROM {portfolio}.finding WHERE kind IN ('merged_in_register', 'reappeared') AND closed_at IS NULL GROUP BY 1;")),
             {"merged_in_register": got["merged"], "reappeared": known.reappeared})
    wanted = consequences(known, "ALL", listed) | consequences(known, "HALF", half)
    comment("drafted: " + ", ".join(f"{number} × {action} on {contract}" for (contract, action), number in sorted(
        collections.Counter(line[:2] for line in wanted).items())))
    is_equal("  drafts of amendments", drafted(portfolio) ^ wanted, set())
    is_equal("  one for each contract", run(f"SELECT count(*), count(DISTINCT contract_id) FROM {portfolio}.amendment WHERE status = 'draft';"), [["2", "2"]])
    is_equal("  those for all of them say remove", {line[1] for line in wanted if line[0] == "ALL"}, {"remove"})
    is_equal("  what is covered tomorrow: what is listed and lives", covered(portfolio), {
        known.tag[asset] for asset in listed if not known.is_retired[asset]
        and (known.plant[asset].first_day is None or known.plant[asset].first_day <= tomorrow)
        and (known.plant[asset].last_day is None or known.plant[asset].last_day >= tomorrow)})
    is_equal("  as the definition has it", run(f"SELECT count(*) FROM {portfolio}.verify_coverage();"), [["0"]])
    again(portfolio, [Plant(row, today, True) for row in read_register("09")])
    is_equal("  nor is anything drafted twice", drafted(portfolio) ^ wanted, set())
    apply_drafts(portfolio, known, listed, half, {line[3] for line in wanted if line[1] == "swap"})
    is_equal("  cover is as the definition has it", run(f"SELECT count(*) FROM {portfolio}.verify_coverage();"), [["0"]])


def without_ids(today):
    """By tags alone."""
    portfolio = "bare"
    known = Register()
    august, september = ([Plant(row, today, False) for row in read_register(month)] for month in ("08", "09"))
    stage(portfolio, august)
    sync("August without ids", portfolio, known, august)
    gone = {plant.tag for plant in august} - {plant.tag for plant in september}
    retired = sum(known.is_retired[tag] for tag in gone)
    comment(f"{len(gone)} tags are gone, {retired} of them were retired")
    list_all(portfolio)
    listed = {asset for asset in known.tag if not known.is_retired[asset]}
    stage(portfolio, september)
    got = sync("September without ids", portfolio, known, september)
    is_equal("  all that are gone and lived are retired", (got["retired"], got.get("retagged"), got.get("merged")), (203 - retired, None, None))
    is_equal("  and drafted to be removed", drafted(portfolio) ^ {("ALL", "remove", tag, "") for tag in gone if tag in listed}, set())


def is_refused_here(name, sql, sqlstate, constraint):
    register.DATABASE = DATABASE
    try:
        run(sql)
        got = ("done",)
    except register.Refused as refusal:
        got = (refusal.sqlstate, refusal.constraint)
    is_equal(name, got, (sqlstate, constraint))


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    if not os.path.isfile(os.path.join(FOLDER, "register-2024-08.csv")):
        print("ok - a sync of a real register # SKIP the folder ../shared/data is not beside the project")
        return 0
    register.run(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);\nCREATE DATABASE {DATABASE};", database="postgres")
    run("CREATE EXTENSION cec CASCADE;SELECT cec.create_portfolio('fleet'), cec.create_portfolio('bare');"
        "INSERT INTO fleet.asset_source (source) VALUES ('plants');INSERT INTO bare.asset_source (source) VALUES ('plants');")
    today = datetime.date.fromisoformat(run("SELECT cec.today('fleet');")[0][0])
    started = time.monotonic()
    with_ids(today)
    without_ids(today)
    comment(f"{time.monotonic() - started:.0f} s in all")
    print(f"1..{register.tests}")
    return 1 if register.failed else 0


if __name__ == "__main__":
    sys.exit(main())
