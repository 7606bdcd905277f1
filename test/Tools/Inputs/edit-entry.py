"""Prints an entry of tda-autotune --json with a word of its winner replaced.

    edit-entry.py FILE.json group=3
"""
import json
import re
import sys

data = json.load(open(sys.argv[1]))
name, value = sys.argv[2].split("=")
for entry in data["entries"]:
    entry["winner"] = re.sub(rf"\b{name} = \w+", f"{name} = {value}",
                             entry["winner"])
json.dump(data, sys.stdout, indent=1)
