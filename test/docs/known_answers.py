#!/usr/bin/env python3
"""Holds what test/pgtap/include/known_answers.py computes against the answers kept beside it and against the example of
src/seal/README.md. Prints TAP; needs no server."""
import os
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
MAKER = os.path.join(TOP, "test/pgtap/include/known_answers.py")


def made(*options):
    return subprocess.run([sys.executable, MAKER, *options], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def kept(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def main():
    results = [("the answers that are kept are those of the definitions", made() == kept("test/pgtap/include/known_answers.sql"))]
    readme = kept("src/seal/README.md").replace("`", "").replace(" ", "")
    for line in made("--example").splitlines():
        name, value = line.rsplit(" ", 1)
        results.append((f"the example of src/seal/README.md: {name.strip()}", value in readme))
    for n, (name, fine) in enumerate(results, 1):
        print(f"{'ok' if fine else 'not ok'} {n} - {name}")
    print(f"1..{len(results)}")
    return 0 if all(fine for _, fine in results) else 1


if __name__ == "__main__":
    sys.exit(main())
