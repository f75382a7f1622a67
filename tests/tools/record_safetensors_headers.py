#!/usr/bin/env python3
"""Records which headers the safetensors package reads.

  python3 -m venv /tmp/venv
  /tmp/venv/bin/pip install safetensors==0.8.0 numpy
  /tmp/venv/bin/python tests/tools/record_safetensors_headers.py tests/fixtures/safetensors_headers.json

Each case is a header's text and the number of data bytes after it; `reads` says whether the package opens the file, and
`metadata` what it then gives as metadata (null for none).
"""
import importlib.metadata
import json
import pathlib
import struct
import sys
import tempfile

from safetensors import safe_open

ONE = '"w": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}'
CASES = {
    "plain": ("{" + ONE + "}", 2),
    "padded with spaces": ("{" + ONE + "}      ", 2),
    "begins with a space": (" {" + ONE + "}", 2),
    "metadata of strings": ('{"__metadata__": {"format": "pt", "é": "ü"}, ' + ONE + "}", 2),
    "metadata after the tensors": ("{" + ONE + ', "__metadata__": {"format": "pt"}}', 2),
    "metadata null": ('{"__metadata__": null, ' + ONE + "}", 2),
    "metadata empty": ('{"__metadata__": {}, ' + ONE + "}", 2),
    "metadata with a number": ('{"__metadata__": {"step": 1}, ' + ONE + "}", 2),
    "metadata with a null": ('{"__metadata__": {"format": null}, ' + ONE + "}", 2),
    "metadata with an object": ('{"__metadata__": {"config": {}}, ' + ONE + "}", 2),
    "metadata a list": ('{"__metadata__": [], ' + ONE + "}", 2),
    "metadata a string": ('{"__metadata__": "pt", ' + ONE + "}", 2),
    "metadata false": ('{"__metadata__": false, ' + ONE + "}", 2),
    "no tensors": ("{}", 0),
    "no tensors, metadata alone": ('{"__metadata__": {"format": "pt"}}', 0),
    "a scalar": ('{"w": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}', 4),
    "an empty tensor": ('{"w": {"dtype": "F32", "shape": [0, 7], "data_offsets": [0, 0]}}', 0),
    "an empty name": ('{"": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}', 2),
    "a further key": ('{"w": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2], "note": 1}}', 2),
    "a dtype in small letters": ('{"w": {"dtype": "u8", "shape": [2], "data_offsets": [0, 2]}}', 2),
    "a dimension with a point": ('{"w": {"dtype": "U8", "shape": [2.0], "data_offsets": [0, 2]}}', 2),
    "a negative dimension": ('{"w": {"dtype": "U8", "shape": [-2], "data_offsets": [0, 2]}}', 2),
    "bytes after the tensors": ("{" + ONE + "}", 3),
    "too few bytes": ("{" + ONE + "}", 1),
    "a hole": ('{"w": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}', 3),
    "two in one place": ("{" + ONE + ', "v": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}', 2),
    "text after the object": ("{" + ONE + "} {}", 2),
    "a comma too many": ("{" + ONE + ",}", 2),
}


def main():
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.safetensors"
        for name, (header, data) in CASES.items():
            text = header.encode()
            path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))
            case = {"name": name, "header": header, "data_bytes": data, "reads": True, "metadata": None}
            try:
                with safe_open(path, "np") as file:
                    case["metadata"] = file.metadata()
                    sorted(file.keys())
            except Exception:
                case["reads"] = False
            cases.append(case)
    recorded = {"tool": "safetensors " + importlib.metadata.version("safetensors"), "cases": cases}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
