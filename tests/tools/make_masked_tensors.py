#!/usr/bin/env python3
"""Writes tests/fixtures/masked_tensors.json: sparse tensors byte by byte, as docs/container_format.md says.

Nothing of Tersor is used, so that the encodings are held against their description.
"""
import itertools
import json
import pathlib
import random
import struct

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "masked_tensors.json"
random.seed(5)


def pack(values, bits):
    """Element i at bit i * bits, lowest bit first, padded to whole bytes."""
    number = sum(value << (i * bits) for i, value in enumerate(values))
    return number.to_bytes((len(values) * bits + 7) // 8, "little")


def mask_field(kept, pattern):
    if pattern is None:
        return {"name": "mask", "dtype": "U8", "bytes": b"".join(pack(row, 1) for row in kept)}, {}
    ones, of = pattern
    numbers = sorted(sum(1 << i for i in places) for places in itertools.combinations(range(of), ones))
    bits = max(2, (len(numbers) - 1).bit_length())
    rows = []
    for row in kept:
        runs = [sum(row[i + k] << k for k in range(of)) for i in range(0, len(row), of)]
        rows.append(pack([numbers.index(run) for run in runs], bits))
    return {"name": "patterns", "dtype": "U8", "bytes": b"".join(rows)}, {"kept": ones, "of": of}


def choose(rows, columns, pattern):
    if pattern is None:
        return [[random.random() < 0.4 and row != 1 for _ in range(columns)] for row in range(rows)]
    ones, of = pattern
    kept = []
    for _ in range(rows):
        row = []
        for _ in range(columns // of):
            places = random.sample(range(of), ones)
            row += [i in places for i in range(of)]
        kept.append(row)
    return kept


def floats(rows, columns, pattern, dtype):
    kept = [[int(x) for x in row] for row in choose(rows, columns, pattern)]
    # Multiples of a sixteenth: exact in every type.
    weights = [[random.randint(-60, 60) / 16 for _ in range(columns)] for _ in range(rows)]
    values = [w for row, marks in zip(weights, kept) for w, k in zip(row, marks) if k]
    form = {"F32": lambda x: struct.pack("<f", x), "F16": lambda x: struct.pack("<e", x),
            "BF16": lambda x: struct.pack("<f", x)[2:]}[dtype]
    field, parameters = mask_field(kept, pattern)
    decoded = [[w * k for w, k in zip(row, marks)] for row, marks in zip(weights, kept)]
    return {"encoding": "masked", "shape": [rows, columns], "parameters": parameters,
            "fields": [field, {"name": "values", "dtype": dtype, "bytes": b"".join(map(form, values))}],
            "values": sum(decoded, []), "kept": sum(kept, [])}


def codes(rows, columns, pattern, bits, group, symmetric):
    kept = [[int(x) for x in row] for row in choose(rows, columns, pattern)]
    groups = columns // group
    scales = [[random.randint(1, 40) / 32 for _ in range(groups)] for _ in range(rows)]
    zeros = [[1 << (bits - 1) if symmetric else random.randrange(1 << bits) for _ in range(groups)] for _ in range(rows)]
    given = [[random.randrange(1 << bits) for _ in range(columns)] for _ in range(rows)]
    field, parameters = mask_field(kept, pattern)
    parameters.update(bits=bits, group_size=group, symmetric=symmetric)
    decoded = [[(given[r][c] - zeros[r][c // group]) * scales[r][c // group] * kept[r][c] for c in range(columns)]
               for r in range(rows)]
    fields = [field,
              {"name": "codes", "dtype": "U8",
               "bytes": b"".join(pack([c for c, k in zip(given[r], kept[r]) if k], bits) for r in range(rows))},
              {"name": "scales", "dtype": "F16", "bytes": b"".join(struct.pack("<e", s) for s in sum(scales, []))}]
    if not symmetric:
        fields.append({"name": "zero_points", "dtype": "U8", "bytes": b"".join(pack(row, bits) for row in zeros)})
    return {"encoding": "masked-int", "shape": [rows, columns], "parameters": parameters, "fields": fields,
            "values": sum(decoded, []), "kept": sum(kept, [])}


def main():
    tensors = [floats(5, 27, None, "F32"), floats(3, 16, None, "BF16"), floats(4, 24, (2, 4), "F16"),
               floats(3, 32, (4, 8), "BF16"), floats(3, 12, (1, 4), "F32"), floats(2, 24, (3, 6), "F32"),
               codes(5, 32, None, 4, 16, True), codes(3, 24, None, 3, 8, False), codes(4, 32, (2, 4), 4, 32, True),
               codes(3, 32, (4, 8), 8, 16, False)]
    for tensor in tensors:
        for field in tensor["fields"]:
            field["bytes"] = field["bytes"].hex()
    OUT.write_text(json.dumps(tensors, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
