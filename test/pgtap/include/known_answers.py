#!/usr/bin/env python3
"""Known answers for Merkle trees of 0 to 300 leaves, from the definitions of RFC 9162 alone.

Prints SQL that fills a table "answer", one row a tree: its size, its root, and SHA-256 over all its inclusion proofs and over all its consistency
proofs. Leaf i is SHA-256(00, i as four bytes). A proof is written as the number of its hashes, one byte, and the
hashes; inclusion proofs come in order of the leaf, consistency proofs in order of the first size, from 0.

    test/pgtap/include/known_answers.py > test/pgtap/include/known_answers.sql
    test/pgtap/include/known_answers.py --example      the example of src/seal/README.md
"""
import functools
import hashlib
import sys

MOST = 300


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(i):
    return sha(b"\0", i.to_bytes(4, "big"))


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@functools.lru_cache(None)
def mth(first, end):
    """MTH(D[first:end]), section 2.1.1."""
    n = end - first
    if n == 0:
        return sha()
    if n == 1:
        return leaf(first)
    k = split(n)
    return sha(b"\1", mth(first, first + k), mth(first + k, end))


def path(m, first, end):
    """PATH(m, D[first:end]), section 2.1.3.1."""
    n = end - first
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return path(m, first, first + k) + [mth(first + k, end)]
    return path(m - k, first + k, end) + [mth(first, first + k)]


def subproof(m, first, end, known):
    """SUBPROOF(m, D[first:end], known), section 2.1.4.1."""
    n = end - first
    if m == n:
        return [] if known else [mth(first, end)]
    k = split(n)
    if m <= k:
        return subproof(m, first, first + k, known) + [mth(first + k, end)]
    return subproof(m - k, first + k, end, False) + [mth(first, first + k)]


def written(proofs):
    return sha(*(bytes([len(p)]) + b"".join(p) for p in proofs)).hex()


def example():
    def part(value):
        return b"\0" if value is None else bytes([len(value) + 1]) + value

    def int8(value):
        return value.to_bytes(8, "big")

    image = bytes.fromhex("015d3bfcc5a446f007a4870951f4bb04b609000000000000000705676f6c64094772c3b6c39f7465050000000200")
    salt = bytes(range(16))
    content = sha(salt, image)
    at = 823176000 * 10**6  # 2026-01-31 12:00:00, seconds since 2000-01-01
    texts = ["maria@example.org", "maria", None, "192.0.2.7", "order 3310", "service_tier", "INSERT"]
    header = (b"\1" + int8(42) + int8(1000) + int8(7000000000000000001) + int8(at)
              + b"".join(part(t.encode() if t is not None else None) for t in texts)
              + part(int8(7)) + part(None) + part(None) + part(None) + part(None))
    hashed = sha(b"\0", header, content)
    for piece in header[:1], int8(42), int8(1000), int8(7000000000000000001), int8(at):
        print("header", piece.hex())
    for text in texts:
        if text is not None:
            print("header", part(text.encode()).hex())
    print("content", content.hex())
    print("leaf", hashed.hex())
    print("root",  sha(b"\1", hashed, leaf(0)).hex())


if sys.argv[1:] == ["--example"]:
    example()
else:
    print("-- Made by known_answers.py.")
    print("INSERT INTO answer (tree_size, root, inclusion, consistency) VALUES")
    for size in range(MOST + 1):
        answer = (mth(0, size).hex(), written(path(m, 0, size) for m in range(size)),
                  written(subproof(m, 0, size, True) if m > 0 else [] for m in range(size + 1)))
        print(f"({size}, '{answer[0]}', '{answer[1]}', '{answer[2]}')" + ("," if size < MOST else ";"))
