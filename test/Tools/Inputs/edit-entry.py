"""Prints an entry of tda-autotune --json with a word of its winner replaced, and
the winner as if it were measured.

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
    entry["status"] = "measured"
    entry["key"].update(device="Fake GPU", sms=132, driver=13000)
    entry["samples"] = [{
        "schedule": entry["winner"], "status": "measured", "median_us": 10.0,
        "quartiles_us": [9.9, 10.1], "repetitions": 10}]
json.dump(data, sys.stdout, indent=1)
