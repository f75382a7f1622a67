#!/usr/bin/env python3
"""Writes core/encoding/gguf_grids.inc: the grids that the IQ types of GGUF prescribe, from the PyPI package `gguf`.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install gguf==0.19.0
  /tmp/venv/bin/python tests/tools/write_gguf_grids.py > core/encoding/gguf_grids.inc

A row of a grid is one number: the first value's place among the type's levels in the lowest bits, 2 or 3 bits a value.
"""
from gguf import quants

GRIDS = [("kPacked2XXS", "IQ2_XXS", 2), ("kPacked2XS", "IQ2_XS", 2), ("kPacked2S", "IQ2_S", 2),
         ("kPacked3XXS", "IQ3_XXS", 3), ("kPacked3S", "IQ3_S", 3), ("kPacked1", "IQ1_S", 2)]


def main():
    print("// Written by tests/tools/write_gguf_grids.py from the PyPI package gguf 0.19.0; gguf_grids.cc unpacks it.")
    for name, kind, bits in GRIDS:
        cls = getattr(quants, kind)
        cls.init_grid()
        levels = list(cls.grid_map)
        rows = cls.grid.reshape(cls.grid_shape)
        words = [sum(levels.index(int(value)) << (bits * place) for place, value in enumerate(row)) for row in rows]
        print(f"constexpr uint16_t {name}[{len(words)}] = {{")
        for begin in range(0, len(words), 16):
            print("    " + ", ".join(f"{word}" for word in words[begin:begin + 16]) + ",")
        print("};")


if __name__ == "__main__":
    main()
