#!/usr/bin/env python3
"""Verifies the audit log of a portfolio, away from the database: from files that COPY wrote and digests kept outside.

    verify_audit.py FOLDER DIGEST...       DIGEST: a line as audit_digest returned it, or a file of such lines

FOLDER holds audit_log.copy, audit_block.copy, audit_erasure.copy and audit_schema.copy, and may hold audit_leaf.copy,
which tells the row where only the block would be known; README.md has the commands that write them. Prints a line for
each thing found wrong, ends with "verified" or "NOT VERIFIED", and with status 0 or 1.

It shares no code with the extension. What is computed, byte by byte: src/audit/README.md; the tree is that of RFC 9162,
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

Block = namedtuple("Block", "block_no system_id snapshot row_count tree_size root last_audit_id")
Row = namedtuple("Row", "audit_id xid system_id at actor session_user_name application_name client_addr reason table_name"
                        " operation row_id asset_id term_id contract_id salt row_image delta")
Digest = namedtuple("Digest", "portfolio system_id block_no tree_size root sealed_at")
ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
DIGEST = re.compile(r"cec-digest-1 (\S+) (-?\d+) (\d+) (\d+) ([0-9a-f]{64}) (\S+)")
problems = 0


def problem(text):
    global problems
    problems += 1
    print(text)


def sha256(data):
    return hashlib.sha256(data).digest()


# Files of COPY, in text format: a row a line, fields divided by tabs, \N for NULL.

def unescape(field):
    return None if field == b"\\N" else re.sub(rb"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), field, flags=re.S)


def rows_of(folder, table):
    with open(os.path.join(folder, table + ".copy"), "rb") as file:
        for line in file:
            yield [unescape(field) for field in line.rstrip(b"\n").split(b"\t")]


def as_bytes(field):  # bytea_output = hex
    return None if field is None else bytes.fromhex(field[2:].decode())


def as_array(field):  # {a,"b c"}
    return [re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain
            for quoted, plain in re.findall(rb'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', field)]


def as_row(fields):
    row = Row(*fields)
    return row._replace(audit_id=int(row.audit_id), xid=int(row.xid), system_id=int(row.system_id),
                        salt=as_bytes(row.salt), row_image=as_bytes(row.row_image), delta=as_bytes(row.delta))


# The leaf of a row: SHA-256(00, header, content), where content is SHA-256(salt, row_image), or what an erasure kept.

def part(value):  # seven bits of the length a byte, length + 1, 0 for NULL
    if value is None:
        return b"\0"
    length, head = len(value) + 1, b""
    while length >= 0x80:
        head += bytes([0x80 | length & 0x7f])
        length >>= 7
    return head + bytes([length]) + value


def int_part(field):
    return part(None if field is None else struct.pack(">q", int(field)))


def microseconds(field):  # since 2000; TimeZone UTC, DateStyle ISO
    match = re.fullmatch(rb"(.{19})(?:\.(\d+))?\+00", field)
    if match is None:
        return -1 << 63  # no time that the engine writes
    seconds = datetime.datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S") - datetime.datetime(2000, 1, 1)
    return seconds // datetime.timedelta(microseconds=1) + int((match[2] or b"").ljust(6, b"0"))


def leaf_of(row, content):
    header = struct.pack(">BqQqq", 1, row.audit_id, row.xid, row.system_id, microseconds(row.at))
    for value in (row.actor, row.session_user_name, row.application_name, row.client_addr, row.reason, row.table_name,
                  row.operation):
        header += part(value)
    for value in (row.row_id, row.asset_id, row.term_id, row.contract_id):
        header += int_part(value)
    header += part(None if row.delta is None else sha256(row.delta))
    return sha256(b"\0" + header + content)


# The tree: of n leaves it keeps the roots of the perfect subtrees that n is made of, the largest first.

class Tree:
    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, leaf):
        self.peaks.append(leaf)
        self.size += 1
        size = self.size
        while size % 2 == 0:
            right = self.peaks.pop()
            self.peaks[-1] = sha256(b"\1" + self.peaks[-1] + right)
            size //= 2

    def root(self):
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            root = sha256(b"\1" + left + root)
        return root


# Which block a row was sealed in: the first of its own cluster whose snapshot shows its transaction. The first block that
# a cluster makes also takes what a dump brought from others.

class Blocks:
    def __init__(self, blocks):
        self.all, self.runs = blocks, []
        for block in blocks:
            xmin, xmax, running = block.snapshot.decode().split(":")
            shown = (int(xmax), {int(xid) for xid in running.split(",") if xid})
            if not self.runs or self.runs[-1][0].system_id != block.system_id:
                self.runs.append((block, [], []))
            self.runs[-1][1].append(shown[0])
            self.runs[-1][2].append((block, shown[1]))

    def find(self, row):
        for first, xmaxes, blocks in self.runs:
            if first.system_id != row.system_id:
                if row.audit_id <= first.last_audit_id:
                    return first
                continue
            for block, running in blocks[bisect.bisect_right(xmaxes, row.xid):]:
                if row.xid not in running:
                    return block
        return None


def check_schema(folder):
    keys = set()
    for key, table, names, types, codes in ((as_bytes(r[0]), r[1], *map(as_array, r[2:5])) for r in rows_of(folder, "audit_schema")):
        text = table + b"\0" + b"".join(b + b"\0" for column in zip(names, types, codes) for b in column)
        if sha256(text)[:16] != key or len(names) != len(types) or len(names) != len(codes):
            problem(f"SCHEMA_CHANGED: the column list {key.hex()} of {table.decode()} is not what it was")
        keys.add(key)
    return keys


def read_log(folder, blocks, schema_keys):
    """All sealed rows as (block number, system, transaction, audit_id, leaf), and how many are not sealed yet."""
    erased = {int(r[0]): as_bytes(r[1]) for r in rows_of(folder, "audit_erasure")}
    sealed, unsealed, unrecorded, lost_lists = [], 0, set(erased), set()
    for row in map(as_row, rows_of(folder, "audit_log")):
        if row.table_name == b"audit_erasure" and row.operation == b"INSERT":
            unrecorded.discard(int(row.row_id))
        if row.salt is None and row.row_image is None and row.audit_id in erased:
            content = erased[row.audit_id]
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
    for audit_id in sorted(unrecorded):
        problem(f"EDITED: row {audit_id} was erased, and the log does not know of the erasure")
    for key in sorted(lost_lists):
        problem(f"SCHEMA_CHANGED: the column list {key.hex()} is gone, and rows of the log need it")
    sealed.sort()
    return sealed, unsealed, len(erased)


def check_leaves(folder, sealed):
    """Names the rows whose leaf is not the one that was stored when they were sealed."""
    leaves = {row[3]: row[4] for row in sealed}
    for _, block_no, audit_ids, hashes in rows_of(folder, "audit_leaf"):
        for i, audit_id in enumerate(map(int, as_array(audit_ids))):
            leaf = leaves.pop(audit_id, None)
            if leaf is None:
                problem(f"MISSING: row {audit_id}, sealed in block {int(block_no)}")
            elif leaf != as_bytes(hashes)[32 * i:32 * i + 32]:
                problem(f"EDITED: row {audit_id}, sealed in block {int(block_no)}")
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
            with open(argument, encoding="utf-8") as file:
                lines = file.read().splitlines()
        for line in filter(str.strip, lines):
            match = DIGEST.fullmatch(line.strip()) or sys.exit(f"not a digest: {line}")
            yield Digest(match[1], int(match[2]), int(match[3]), int(match[4]), bytes.fromhex(match[5]), match[6])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, digests = sys.argv[1], list(read_digests(sys.argv[2:]))
    blocks = Blocks(sorted(Block(int(r[0]), int(r[1]), r[2], int(r[3]), int(r[4]), as_bytes(r[5]), int(r[6]))
                           for r in rows_of(folder, "audit_block")))
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
