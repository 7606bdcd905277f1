"""Writes a .npy file of zeros, right or wrong on purpose.

usage: write-npy.py FILE TYPE SHAPE [fortran|short|long|header|magic]

TYPE is NumPy's ('<f4', '>f4', '<u2', ...), SHAPE is '1,2,3,32' or '' for a 0-d
array. short and long change the number of bytes, header and magic break those.
"""

import re
import struct
import sys

path, kind, shape = sys.argv[1:4]
fault = sys.argv[4] if len(sys.argv) > 4 else ""
extents = [int(text) for text in shape.split(",") if text]
size = int(re.sub(r"\D", "", kind))
for extent in extents:
    size *= extent
shape = "(" + "".join(f"{extent}, " for extent in extents).rstrip() + ")"
order = fault == "fortran"
header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}"
if fault == "header":
    header = header.replace("'shape'", "'form'")
header += " " * (-(len(header) + 11) % 64) + "\n"
magic = b"\x93NUMPY" if fault != "magic" else b"\x93NUMPI"
size += {"short": -1, "long": 1}.get(fault, 0)
with open(path, "wb") as file:
    file.write(magic + b"\x01\x00" + struct.pack("<H", len(header)))
    file.write(header.encode() + bytes(size))
