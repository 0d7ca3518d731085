#!/usr/bin/env python3
"""Two sessions change what the same assets' cover follows from, at the same time.

    test/bin/check isolation pairs                 CEC_ACCEPT=1 writes pairs.txt: read the difference
    CEC_KINDS='suspension tier' test/bin/check …   some kinds of change alone

For coverage each kind of change is paired with each other, itself included; for rules each change of what rules say with each
change of what they are about.  Each pair runs in both orders at three isolation levels: both sessions have taken their
snapshot before either writes.  Whoever is refused rolls back.

After each of these interleavings stored coverage is checked against its definition, the log against the tables, open findings against
the views of their kinds, and no two states of an asset's cover may have been believed at the same time.  Who waits, and who is refused, is checked against pairs.txt.

Each kind has a portfolio of its own, whose rows are put back for each interleaving.  Autovacuum stays off its tables: other plans
would take other predicate locks, and at SERIALIZABLE another transaction might be the one that is refused.

Prints TAP.  Needs psql on the path, the usual PG* variables, and a database with cec.
"""
import itertools
import os
import re
import select
import subprocess
import sys
import time

# Per kind what a session does, and what the other session does when both do the same kind (to another row of the same
# assets' cover).  New lines and members do not touch days that are covered already: where two sessions replace the same
# row of coverage, that row alone would tell them of each other.
KINDS = {
    "inclusion-insert": (
        "INSERT INTO pairs.inclusion (inclusion_id, term_id, asset_id, during) VALUES (4, 1, 1, '[2026-11-01,)');",
        "INSERT INTO pairs.inclusion (inclusion_id, term_id, asset_id, during) VALUES (5, 1, 1, '[2026-01-01,2026-03-01)');"),
    "inclusion-update": (
        "UPDATE pairs.inclusion SET during = '[2026-04-01,2026-10-01)' WHERE inclusion_id = 1;",
        "UPDATE pairs.inclusion SET during = '[2026-05-01,2026-12-01)' WHERE inclusion_id = 2;"),
    "inclusion-delete": (
        "DELETE FROM pairs.inclusion WHERE inclusion_id = 1;",
        "DELETE FROM pairs.inclusion WHERE inclusion_id = 2;"),
    "member-insert": (
        "INSERT INTO pairs.bundle_member (member_id, bundle_id, asset_id, during) VALUES (3, 1, 4, '[2026-02-01,)');",
        "INSERT INTO pairs.bundle_member (member_id, bundle_id, asset_id, during) VALUES (4, 3, 3, '[2026-04-01,2026-05-01)');"),
    "member-delete": (
        "DELETE FROM pairs.bundle_member WHERE member_id = 1;",
        "DELETE FROM pairs.bundle_member WHERE member_id = 2;"),
    "asset-retire": (
        "UPDATE pairs.asset SET status = 'retired', decommissioned_on = '2026-07-15' WHERE asset_id = 1;",
        "UPDATE pairs.asset SET status = 'retired', decommissioned_on = '2026-08-15' WHERE asset_id = 2;"),
    "contract-days": (
        "UPDATE pairs.contract SET during = '[2026-04-15,2027-01-01)' WHERE contract_id = 1;",
        "UPDATE pairs.contract SET during = '[2026-04-15,2026-09-15)' WHERE contract_id = 2;"),
    "term-days": (
        "UPDATE pairs.coverage_term SET during = '[2026-01-01,2026-09-01)' WHERE term_id = 1;",
        "UPDATE pairs.coverage_term SET during = '[2026-05-01,2027-01-01)' WHERE term_id = 2;"),
    "suspension": (
        "UPDATE pairs.contract SET suspensions = datemultirange(daterange('2026-08-10', '2026-08-15')) WHERE contract_id = 1;",
        "UPDATE pairs.contract SET suspensions = datemultirange(daterange('2026-08-10', '2026-08-15')) WHERE contract_id = 2;"),
}
# What rules say …
RULE_KINDS = {
    "include": "INSERT INTO pairs.coverage_rule (rule_id, term_id, name, effect, condition, during)"
               " VALUES (11, 1, 'new', 'include', 'category IN (''fan'', ''new'')', '(,)');",
    "require": "INSERT INTO pairs.coverage_rule (rule_id, term_id, name, effect, condition, during)"
               " VALUES (11, 2, 'new', 'require', 'last_maintenance(''repair'') IS NOT NULL AND category <> ''pump''', '(,)');",
    "exclude": "INSERT INTO pairs.coverage_rule (rule_id, term_id, name, effect, condition, during, on_unknown)"
               " VALUES (11, 1, 'new', 'exclude', 'category = ''fan'' OR status = ''retired'' OR NOT inside_boundary', '(,)', 'allow');",
    "condition": "UPDATE pairs.coverage_rule SET condition = 'category = ''fan'' OR location IS NULL' WHERE rule_id = 1;",
    "end": "UPDATE pairs.coverage_rule SET during = '(,2026-01-01)' WHERE rule_id = 1;",
    "suspend": "UPDATE pairs.coverage_rule SET state = 'suspended' WHERE rule_id IN (1, 5);",
    "boundary": "UPDATE pairs.contract SET boundary = ST_Multi(ST_MakeEnvelope(20, 40, 22, 42, 4326)) WHERE contract_id = 2;",
    "tier": "UPDATE pairs.service_tier SET code = 'brass' WHERE tier_id = 1;",
}
# … and what they are about.
FACT_KINDS = {
    "fact": "UPDATE pairs.asset SET category = 'pump' WHERE asset_id = 3;",
    "move": "UPDATE pairs.asset SET location = ST_SetSRID(ST_MakePoint(21, 41), 4326) WHERE asset_id IN (1, 3);",
    "new": "INSERT INTO pairs.asset (asset_id, asset_tag, category, location)"
           " VALUES (5, 'NEW', 'fan', ST_SetSRID(ST_MakePoint(11, 48), 4326));",
    "maintenance": "INSERT INTO pairs.maintenance_event (event_id, asset_id, kind, performed_on)"
                   " VALUES (11, 3, 'repair', '2026-01-01'), (12, 1, 'inspection', '2026-01-01');",
    "list": "INSERT INTO pairs.inclusion (inclusion_id, term_id, asset_id, during) VALUES (11, 1, 3, '(,)');",
    "retire": "UPDATE pairs.asset SET status = 'retired', decommissioned_on = '9999-01-01' WHERE asset_id = 1;",
    "delete": "DELETE FROM pairs.asset WHERE asset_id = 4;",
    "member": "INSERT INTO pairs.bundle_member (member_id, bundle_id, asset_id, during) VALUES (11, 1, 3, '(,)');",
}

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pairs.txt")
SECONDS = 300  # after which what does not answer has failed

# The portfolio is where it is noon, so that no day ends meanwhile: a rule that has acted on a day cannot be deleted on the next.
MAKE = """
SET client_min_messages = warning;
DO $$
BEGIN
    IF to_regnamespace('pairs') IS NOT NULL THEN
        PERFORM cec.drop_portfolio('pairs', 'pairs');
    END IF;
    PERFORM cec.create_portfolio('pairs');
    UPDATE pairs.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
    EXECUTE (SELECT string_agg(format('ALTER TABLE %s SET (autovacuum_enabled = false)', oid::regclass), '; ')
        FROM pg_class WHERE relnamespace = 'pairs'::regnamespace AND relkind = 'r');
END;
$$;
"""

# The pump is listed on two contracts, the motor goes with the pump, and the gauge with the motor; the fan is by itself.
ROWS = """
DELETE FROM pairs.inclusion;
DELETE FROM pairs.bundle_member;
DELETE FROM pairs.bundle;
DELETE FROM pairs.coverage_term;
DELETE FROM pairs.contract;
DELETE FROM pairs.asset;
DELETE FROM pairs.customer;
INSERT INTO pairs.customer (customer_id, name) VALUES (1, 'Acme');
INSERT INTO pairs.contract (contract_id, number, customer_id, kind, status, during) VALUES
    (1, 'C-1', 1, 'service', 'active', '[2026-01-01,2027-01-01)'),
    (2, 'W-1', 1, 'warranty', 'active', '[2026-01-01,2027-01-01)');
INSERT INTO pairs.coverage_term (term_id, contract_id, number, during) VALUES
    (1, 1, '1', '[2026-01-01,2027-01-01)'), (2, 2, '1', '[2026-01-01,2027-01-01)');
INSERT INTO pairs.asset (asset_id, asset_tag) VALUES (1, 'PUMP'), (2, 'MOTOR'), (3, 'GAUGE'), (4, 'FAN');
INSERT INTO pairs.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'pump', 1), (2, 'motor', 2), (3, 'fan', 4);
INSERT INTO pairs.bundle_member (member_id, bundle_id, asset_id, during) VALUES
    (1, 1, 2, '[2026-02-01,2026-11-01)'), (2, 2, 3, '[2026-06-01,2026-09-01)');
INSERT INTO pairs.inclusion (inclusion_id, term_id, asset_id, during) VALUES
    (1, 1, 1, '[2026-03-01,2026-10-01)'), (2, 1, 2, '[2026-05-01,2026-06-01)'), (3, 2, 1, '[2026-03-01,)');
"""

# Rules qualify the pump, and what is inside; the fan is listed, and the motor goes with the pump.
RULE_ROWS = """
DELETE FROM pairs.coverage_rule;
DELETE FROM pairs.inclusion;
DELETE FROM pairs.bundle_member;
DELETE FROM pairs.bundle;
DELETE FROM pairs.coverage_term;
DELETE FROM pairs.contract;
DELETE FROM pairs.service_tier;
DELETE FROM pairs.maintenance_event;
DELETE FROM pairs.asset;
DELETE FROM pairs.customer;
INSERT INTO pairs.customer (customer_id, name) VALUES (1, 'Acme');
INSERT INTO pairs.service_tier (tier_id, code, name, rank) VALUES (1, 'gold', 'Gold', 1);
INSERT INTO pairs.contract (contract_id, number, customer_id, kind, status, during, boundary) VALUES
    (1, 'C-1', 1, 'service', 'active', '(,)', ST_Multi(ST_MakeEnvelope(10, 47, 12, 49, 4326))),
    (2, 'W-1', 1, 'warranty', 'active', '(,)', ST_Multi(ST_MakeEnvelope(10, 47, 12, 49, 4326)));
INSERT INTO pairs.coverage_term (term_id, contract_id, number, tier_id, during) VALUES (1, 1, '1', 1, '(,)'), (2, 2, '1', 1, '(,)');
INSERT INTO pairs.asset (asset_id, asset_tag, category, location) VALUES
    (1, 'PUMP', 'pump', ST_SetSRID(ST_MakePoint(11, 48), 4326)), (2, 'MOTOR', 'motor', NULL),
    (3, 'FAN', 'fan', ST_SetSRID(ST_MakePoint(11, 48), 4326)), (4, 'SPARE', 'new', NULL), (8, 'ONE', NULL, NULL), (9, 'TWO', NULL, NULL);
INSERT INTO pairs.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'pump', 1);
INSERT INTO pairs.bundle_member (member_id, bundle_id, asset_id, during) VALUES (1, 1, 2, '(,)');
INSERT INTO pairs.inclusion (inclusion_id, term_id, asset_id, during) VALUES (3, 2, 3, '(,)');
INSERT INTO pairs.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES
    (1, 1, 'pumps', 'include', 'category = ''pump''', '(,)'), (2, 1, 'scrap', 'exclude', 'category = ''scrap''', '(,)'),
    (3, 2, 'inside', 'include', 'inside_boundary', '(,)'), (4, 1, 'gold', 'include', 'tier_code = ''gold'' AND category = ''fan''', '(,)'),
    (5, 2, 'inspected', 'require', 'last_maintenance(''inspection'') IS NOT NULL', '(,)');
DO $$ BEGIN PERFORM pairs.refresh(); END $$;
"""

# A session that has compiled the rules: it has changed an asset.
WARM_UP = "UPDATE pairs.asset SET category = 'none' WHERE asset_id = {};"

# What it prints is wrong.
VERIFY = """
SELECT 'verify_coverage', * FROM pairs.verify_coverage();
SELECT 'verify_history', * FROM pairs.verify_history();
SELECT 'verify_replay', * FROM pairs.verify_replay();
WITH state AS (
    SELECT coverage_id, asset_id, term_id, during, tstzrange(recorded_at, NULL) AS recorded FROM pairs.coverage
    UNION ALL
    SELECT coverage_id, asset_id, term_id, during, recorded FROM pairs.coverage_history
)
SELECT 'believed at the same time', a.asset_id, a.term_id, a.during, b.during FROM state a JOIN state b USING (asset_id, term_id)
WHERE a.coverage_id < b.coverage_id AND a.during && b.during AND a.recorded && b.recorded;
SELECT 'findings', * FROM finding_breaches('pairs');
"""
# The law of findings, for all kinds.
LAW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pgtap/include/finding_law.sql")


class Session:
    """One psql, which goes on while nobody listens."""

    def __init__(self):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=sqlstate"], bufsize=0,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b""
        self.pid = self.must("SELECT pg_backend_pid();").strip()

    def send(self, sql):
        self.said = b""
        self.psql.stdin.write(f"{sql}\n\\echo @@@\n".encode())

    def is_done(self, seconds):
        """Whether all that was sent is done, when it was listened to for so long."""
        until = time.monotonic() + seconds
        while not self.said.endswith(b"@@@\n"):
            if not select.select([self.psql.stdout], [], [], max(0, until - time.monotonic()))[0]:
                return False
            more = os.read(self.psql.stdout.fileno(), 65536)
            if not more:
                raise SystemExit(f"a session has ended: {self.said.decode()}")
            self.said += more
        return True

    def end(self):
        """What was printed."""
        if not self.is_done(SECONDS):
            raise SystemExit(f"no answer within {SECONDS} seconds")
        return self.said.decode()[:-4]

    def ask(self, sql):
        self.send(sql)
        return self.end()

    def must(self, sql):
        said = self.ask(sql)
        if "ERROR" in said:
            raise SystemExit(f"{said}{sql}")
        return said

    def errors(self):
        return re.findall(r"ERROR:  (\w{5})", self.end())

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Outcome:
    """What came of an interleaving: who waited and who was refused, in words, and what is wrong with what is stored."""

    def __init__(self, control, sessions, statements, level):
        self.control, self.sessions, self.notes = control, sessions, []
        first, second = sessions
        for session in sessions:
            session.must(f"BEGIN ISOLATION LEVEL {level}; DO $$ BEGIN PERFORM FROM pairs.customer; END $$;")
        self.let(first, statements[0], "the first waits")
        self.let(second, statements[1], "waits")
        self.refused(first, "the first {}")
        self.let(first, "COMMIT;", "the first waits to commit")
        self.refused(second, "{}")
        self.let(second, "COMMIT;", "waits to commit")
        self.refused(first, "the first {} at its end")
        self.refused(second, "{} at its end")
        self.words = ", ".join(self.notes) or "-"
        self.wrong = control.ask(VERIFY)

    def let(self, session, sql, note):
        """Sends it, until it is done or waits for the other session."""
        session.send(sql)
        pids = ",".join(other.pid for other in self.sessions)
        pause, until = 0.005, time.monotonic() + SECONDS
        while not session.is_done(pause):
            if self.control.must(f"SELECT pg_isolation_test_session_is_blocked({session.pid}, '{{{pids}}}');") == "t\n":
                self.notes.append(note)
                return
            if time.monotonic() > until:
                raise SystemExit(f"{sql} neither ends nor waits")
            pause = min(2 * pause, 0.1)

    def refused(self, session, note):
        self.notes += [note.format(state) for state in session.errors()]


def pairs():
    """Kind, rows, what warms the sessions up, and the two statements with their names, for each pair."""
    for kind in KINDS:
        for other in list(KINDS)[list(KINDS).index(kind):]:
            both = (other + " again", KINDS[kind][1]) if other == kind else (other, KINDS[other][0])
            yield kind, ROWS, False, (kind, KINDS[kind][0]), both
    for kind, fact in itertools.product(RULE_KINDS, FACT_KINDS):
        yield kind, RULE_ROWS, True, (kind, RULE_KINDS[kind]), (fact, FACT_KINDS[fact])


def read_list():
    """What is expected: {(first, second): [words for each level]}."""
    try:
        with open(LIST, encoding="utf-8") as file:
            lines = [re.split(r" *\| *", line.strip()) for line in file if not line.startswith("#")]
    except FileNotFoundError:
        return {}
    return {(line[0], line[1]): line[2:] for line in lines}


def write_list(rows):
    rows = [("# first", "second") + LEVELS] + [key + tuple(words) for key, words in rows.items()]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    with open(LIST, "w", encoding="utf-8") as file:
        file.write("# Who changes first what cover follows from, who then, and what comes of it for the second: - goes on beside the first, or\n"
                   "# waits, and is refused with a SQLSTATE. Written by pairs.py.\n")
        for row in rows:
            file.write(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n")


def main():
    expected, found, tests, failed = read_list(), {}, 0, 0

    def is_ok(good, name, detail=""):
        nonlocal tests, failed
        tests += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {tests} - {name}" + "".join(f"\n#   {line}" for line in detail.splitlines() if not good), flush=True)

    chosen = os.environ.get("CEC_KINDS", "").split()
    accept = os.environ.get("CEC_ACCEPT") and not chosen
    control, sessions, portfolio = Session(), [], None
    with open(LAW, encoding="utf-8") as file:
        control.must(file.read())
    for kind, rows, is_warm, one, two in pairs():
        if chosen and kind not in chosen:
            continue
        if portfolio != kind:
            for session in sessions:
                session.close()
            control.must(MAKE)
            sessions, portfolio = [Session(), Session()], kind
        for level, (place, (first, second)) in itertools.product(LEVELS, enumerate(((one, two), (two, one)))):
            control.must(f"BEGIN;{rows}COMMIT;")
            if is_warm:
                for session, asset in zip(sessions, (8, 9)):
                    session.must(WARM_UP.format(asset))
            acting = sessions if place == 0 else sessions[::-1]
            outcome = Outcome(control, acting, (first[1], second[1]), level)
            name = f"{first[0]}, then {second[0]}, {level}"
            is_ok(not outcome.wrong, f"{name}: stored is as defined", outcome.wrong)
            words = found.setdefault((first[0], second[0]), [])
            words.append(outcome.words)
            if not accept:
                wanted = (expected.get((first[0], second[0]), []) + ["not listed"] * 3)[len(words) - 1]
                is_ok(outcome.words == wanted, f"{name}: {wanted}", f"found: {outcome.words}")
    if accept:
        write_list(found)
    if not chosen:
        is_ok(sorted(found) == sorted(read_list()), f"{sum(map(len, found.values()))} interleavings, those that are listed",
              "\n".join(map(str, set(found) ^ set(expected))))
    print(f"1..{tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
