#!/usr/bin/env python3
"""Verifies the audit log of a portfolio, away from the database: from files that COPY wrote and digests kept outside.

    verify_audit.py FOLDER DIGEST...       DIGEST: a line as audit_digest returned it, or a file of such lines

FOLDER holds portfolio.copy, audit_log.copy, audit_block.copy, audit_erasure.copy and audit_schema.copy, and may hold
audit_leaf.copy, which tells the row where only the block would be known; docs/audit.md has the commands that write them.
Prints a line for each thing found wrong, ends with "verified" or "NOT VERIFIED", and with status 0 or 1; with 2, and a
line on standard error, when it could not be tried: called wrongly, a file not there or not written so, no digest.

It shares no code with the extension. What is computed, byte by byte: src/audit/README.md and src/seal/README.md; the tree is that of RFC 9162,
section 2.1. In short: a row of the log becomes a hash (its leaf), the leaves in the order in which they were sealed make
a tree, the tree has one root, and a digest names the root that a tree of so many leaves had. Nobody can change a leaf
below without changing the root. The files are not trusted: blocks only say in which order the leaves come.
"""
import bisect
import datetime
import hashlib
import os
import re
import struct
import sys
from collections import namedtuple

Block = namedtuple("Block", "block_no system_id snapshot row_count tree_size root carried")
Row = namedtuple("Row", "audit_id xid system_id at actor session_user_name application_name client_addr reason table_name"
                        " operation row_id asset_id term_id contract_id salt row_image delta")
Erasure = namedtuple("Erasure", "audit_id content erased_at erased_by session_user_name ground")
Digest = namedtuple("Digest", "portfolio system_id block_no tree_size root sealed_at")
IDS = ("row_id", "asset_id", "term_id", "contract_id")
ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
DIGEST = re.compile(r"cec-digest-1 (\S+) (-?\d+) (\d+) (\d+) ([0-9a-f]{64}) (\S+)")
problems = 0


def problem(text):
    global problems
    problems += 1
    print(text)


def give_up(text):
    print(text, file=sys.stderr)
    sys.exit(2)


def sha256(data):
    return hashlib.sha256(data).digest()


# Files of COPY, in text format: one row per line, fields divided by tabs, \N for NULL.

def unescape(field):
    return None if field == b"\\N" else re.sub(rb"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), field, flags=re.S)


def rows_of(folder, table, read, required):
    """What read makes of each row's fields. A row that lacks one of the first so many is none that the engine wrote."""
    path = os.path.join(folder, table + ".copy")
    number = 0
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                fields = [unescape(field) for field in line.rstrip(b"\n").split(b"\t")]
                if None in fields[:required]:
                    problem(f"EDITED: line {number} of {table}.copy has NULL where there was a value: {str(fields[0])[:40]}")
                else:
                    yield read(fields)
    except OSError as error:
        give_up(f"cannot read {path}: {error.strerror}")
    except (ValueError, TypeError, IndexError, UnicodeError, struct.error):
        give_up(f"{path}, line {number}: not written as docs/audit.md has it")


def as_bytes(field):  # bytea_output = hex
    if field is not None and not field.startswith(b"\\x"):
        raise ValueError
    return None if field is None else bytes.fromhex(field[2:].decode())


def as_array(field):  # {a,"b c"}
    return [re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain
            for quoted, plain in re.findall(rb'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', field)]


def as_row(fields):
    row = Row(*fields)
    row = row._replace(audit_id=int(row.audit_id), xid=int(row.xid), system_id=int(row.system_id), at=microseconds(row.at),
                       salt=as_bytes(row.salt), row_image=as_bytes(row.row_image), delta=as_bytes(row.delta),
                       **{name: None if getattr(row, name) is None else int(getattr(row, name)) for name in IDS})
    leaf_of(row, b"")
    return row


def as_erasure(fields):
    audit_id, content, erased_at, *texts = fields
    return Erasure(int(audit_id), as_bytes(content), microseconds(erased_at), *texts)


def as_name(fields):  # as it stands in digests
    return re.sub(rb"[^A-Za-z0-9_.\x80-\xff-]", lambda m: b"%%%02x" % m[0][0], fields[0]).decode("utf-8", "replace")


def as_block(fields):
    block_no, system_id, snapshot, row_count, tree_size, root, carried = fields
    block = Block(int(block_no), int(system_id), snapshot, int(row_count), int(tree_size), as_bytes(root), as_bytes(carried))
    if not re.fullmatch(rb"\d+:\d+:[\d,]*", block.snapshot):
        raise ValueError
    return block


# The leaf of a row: SHA-256(00, header, content), where content is SHA-256(salt, row_image), or what an erasure kept.

def part(value):  # seven bits of the length a byte, length + 1, 0 for NULL
    if value is None:
        return b"\0"
    length, head = len(value) + 1, b""
    while length >= 0x80:
        head += bytes([0x80 | length & 0x7f])
        length >>= 7
    return head + bytes([length]) + value


def int_part(number):
    return part(None if number is None else struct.pack(">q", number))


def microseconds(field):  # since 2000; TimeZone UTC, DateStyle ISO
    match = re.fullmatch(rb"(.{19})(?:\.(\d+))?\+00", field)
    if match is None:
        return -1 << 63  # no time that the engine writes, as infinity
    seconds = datetime.datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S") - datetime.datetime(2000, 1, 1)
    return seconds // datetime.timedelta(microseconds=1) + int((match[2] or b"").ljust(6, b"0"))


def leaf_of(row, content):
    header = struct.pack(">BqQqq", 1, row.audit_id, row.xid, row.system_id, row.at)
    for value in (row.actor, row.session_user_name, row.application_name, row.client_addr, row.reason, row.table_name,
                  row.operation):
        header += part(value)
    for name in IDS:
        header += int_part(getattr(row, name))
    header += part(None if row.delta is None else sha256(row.delta))
    return sha256(b"\0" + header + content)


# The tree: of n leaves it keeps the roots of the perfect subtrees that n is made of, the largest first.

class Tree:
    def __init__(self):
        self.size, self.frontier = 0, []

    def add(self, leaf):
        self.frontier.append(leaf)
        self.size += 1
        size = self.size
        while size % 2 == 0:
            right = self.frontier.pop()
            self.frontier[-1] = sha256(b"\1" + self.frontier[-1] + right)
            size //= 2

    def root(self):
        if not self.frontier:
            return sha256(b"")
        root = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            root = sha256(b"\1" + left + root)
        return root


# An erasure counts by the one entry that the log has of it: of these values, by whom it says, at that time.

def bears_out(entries, erasure):
    image = (int_part(erasure.audit_id) + part(erasure.content) + int_part(erasure.erased_at)
             + part(erasure.erased_by) + part(erasure.session_user_name) + part(erasure.ground))
    return (len(entries) == 1 and entries[0].operation == b"INSERT" and (entries[0].row_image or b"")[17:].startswith(image)
            and (entries[0].actor, entries[0].session_user_name) == (erasure.erased_by, erasure.session_user_name)
            and abs(entries[0].at - erasure.erased_at) <= 3_600_000_000)


# Which block a row was sealed in: the first of its own cluster whose snapshot shows its transaction. A block whose
# predecessor is another cluster's also takes what a dump brought from others: up to the last transaction and number of
# each of them that it keeps (24 bytes: cluster, transaction, number).

class Blocks:
    def __init__(self, blocks):
        self.all, self.runs = blocks, []
        for block in blocks:
            xmin, xmax, running = block.snapshot.decode().split(":")
            shown = (int(xmax), {int(xid) for xid in running.split(",") if xid})
            if not self.runs or self.runs[-1][0].system_id != block.system_id:
                carried = struct.iter_unpack(">qQq", block.carried or b"") if len(block.carried or b"") % 24 == 0 else ()
                self.runs.append((block, [], [], {system_id: last for system_id, *last in carried}))
            self.runs[-1][1].append(shown[0])
            self.runs[-1][2].append((block, shown[1]))

    def find(self, row):
        for first, xmaxes, blocks, carried in self.runs:
            if first.system_id != row.system_id:
                last_xid, last_audit_id = carried.get(row.system_id, (-1, 0))
                if row.xid <= last_xid and row.audit_id <= last_audit_id:
                    return first
                continue
            for block, running in blocks[bisect.bisect_right(xmaxes, row.xid):]:
                if row.xid not in running:
                    return block
        return None


def check_schema(folder):
    keys = set()
    lists = rows_of(folder, "audit_schema", lambda r: (as_bytes(r[0]), r[1], *map(as_array, r[2:5])), 5)
    for key, table, names, types, codes in lists:
        text = table + b"\0" + b"".join(b + b"\0" for column in zip(names, types, codes) for b in column)
        if sha256(text)[:16] != key or len(names) != len(types) or len(names) != len(codes):
            problem(f"SCHEMA_CHANGED: the column list {key.hex()} of {table.decode()} is not what it was")
        keys.add(key)
    return keys


def read_log(folder, blocks, schema_keys):
    """All sealed rows as (block number, system, transaction, audit_id, leaf), and how many are not sealed yet."""
    erased = {erasure.audit_id: erasure for erasure in rows_of(folder, "audit_erasure", as_erasure, 6)}
    records, living = {audit_id: [] for audit_id in erased}, set(erased)
    sealed, unsealed, lost_lists = [], 0, set()
    for row in rows_of(folder, "audit_log", as_row, 6):
        if row.table_name == b"audit_erasure" and row.row_id in erased:
            records[row.row_id].append(row)
        if row.salt is None and row.row_image is None and row.audit_id in erased:
            living.discard(row.audit_id)
            content = erased[row.audit_id].content
        else:
            content = sha256((row.salt or b"") + (row.row_image or b""))
            if row.salt is None or len(row.salt) != 16 or row.row_image is None:
                problem(f"EDITED: row {row.audit_id} has no salt or image, or not one that was written so")
            elif row.row_image and row.row_image[1:17] not in schema_keys:  # entries with a delta alone have no image
                lost_lists.add(row.row_image[1:17])
        block = blocks.find(row)
        if block is None:
            unsealed += 1
        else:
            sealed.append((block.block_no, row.system_id, row.xid, row.audit_id, leaf_of(row, content)))
    for audit_id, erasure in sorted(erased.items()):
        if audit_id in living:
            problem(f"EXTRA: an erasure of row {audit_id}, which is not erased")
        elif not bears_out(records[audit_id], erasure):
            problem(f"EDITED: row {audit_id} was erased, and the log does not know of the erasure as it stands")
    for key in sorted(lost_lists):
        problem(f"SCHEMA_CHANGED: the column list {key.hex()} is gone, and rows of the log need it")
    sealed.sort()
    return sealed, unsealed, len(erased)


def check_leaves(folder, sealed):
    """Names the rows whose leaf is not the one that was stored when they were sealed."""
    leaves = {row[3]: row[4] for row in sealed}
    chunks = rows_of(folder, "audit_leaf", lambda r: (int(r[1]), list(map(int, as_array(r[2]))), as_bytes(r[3])), 4)
    for block_no, audit_ids, hashes in chunks:
        for i, audit_id in enumerate(audit_ids):
            leaf = leaves.pop(audit_id, None)
            if leaf is None:
                problem(f"MISSING: row {audit_id}, sealed in block {block_no}")
            elif leaf != hashes[32 * i:32 * i + 32]:
                problem(f"EDITED: row {audit_id}, sealed in block {block_no}")
    for audit_id in sorted(leaves):
        problem(f"EXTRA: row {audit_id} is of a time that is sealed, and was not there then")


def check_roots(sealed, blocks, digests):
    """Grows the tree and compares its root wherever a block or a digest says what it was."""
    known = [(d.tree_size, d.root, f"the digest of block {d.block_no} ({d.sealed_at})") for d in digests]
    counts = {}
    for row in sealed:
        counts[row[0]] = counts.get(row[0], 0) + 1
    for block in blocks.all:
        known.append((block.tree_size, block.root, f"block {block.block_no}"))
        if counts.get(block.block_no, 0) != block.row_count:
            problem(f"block {block.block_no} has {counts.get(block.block_no, 0)} rows, and had {block.row_count}")
    ends = {block.block_no: block.tree_size for block in blocks.all}
    for digest in digests:
        if ends.get(digest.block_no, digest.tree_size) != digest.tree_size:
            problem(f"block {digest.block_no} goes on to {ends[digest.block_no]} rows, and its digest says {digest.tree_size}")
    known.sort(key=lambda k: k[0])
    tree = Tree()
    for size, root, name in known:
        while tree.size < size and tree.size < len(sealed):
            tree.add(sealed[tree.size][4])
        if tree.size < size:
            problem(f"TRUNCATED_TAIL: {name} is of {size} rows, and there are {len(sealed)}")
        elif tree.root() != root:
            problem(f"{name}: the {size} rows sealed until then are not what they were")
    while tree.size < len(sealed):
        tree.add(sealed[tree.size][4])
    return tree


def read_digests(arguments):
    for argument in arguments:
        lines = [argument]
        if not argument.startswith("cec-digest"):
            try:
                with open(argument, encoding="utf-8") as file:
                    lines = file.read().splitlines()
            except OSError as error:
                give_up(f"neither a digest nor a file of digests: {argument}: {error.strerror}")
            except UnicodeError:
                give_up(f"not a file of digests: {argument}")
        for line in filter(str.strip, lines):
            match = DIGEST.fullmatch(line.strip()) or give_up(f"not a digest: {line}")
            yield Digest(match[1], int(match[2]), int(match[3]), int(match[4]), bytes.fromhex(match[5]), match[6])


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        give_up(__doc__)
    folder, digests = sys.argv[1], list(read_digests(sys.argv[2:]))
    names = list(rows_of(folder, "portfolio", as_name, 1))
    for digest in digests:
        if [digest.portfolio] != names:
            problem(f"RENAMED: the digest of block {digest.block_no} is of portfolio {digest.portfolio}, and this is {' '.join(names)}")
    blocks = Blocks(sorted(rows_of(folder, "audit_block", as_block, 6), key=lambda block: block.block_no))
    for place, block in enumerate(blocks.all, 1):
        if block.block_no != place:
            problem(f"block {place} is gone, or numbered anew")
            break
    sealed, unsealed, erased = read_log(folder, blocks, check_schema(folder))
    if os.path.exists(os.path.join(folder, "audit_leaf.copy")):
        check_leaves(folder, sealed)
    tree = check_roots(sealed, blocks, digests)
    print(f"{len(blocks.all)} blocks, {len(sealed)} sealed rows, {unsealed} not sealed yet, {erased} erased, {len(digests)} digests")
    print(f"root {tree.root().hex()}")
    if not digests:
        print("without a digest that was kept outside nothing is proved: whoever owns the server can recompute all of this")
    print("verified" if problems == 0 else f"NOT VERIFIED: {problems} problems")
    sys.exit(problems > 0)


if __name__ == "__main__":
    main()
