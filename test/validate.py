"""Validates manifests against docs/manifest.schema.json.

    validate.py SCHEMA MANIFEST...

Prints what is wrong and where, and ends with 1, where one does not fit. Needs
the package jsonschema.
"""
import json
import sys

import jsonschema


def main(schema_path, *paths):
    with open(schema_path) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for path in paths:
        with open(path) as file:
            for error in validator.iter_errors(json.load(file)):
                wrong += 1
                print(f"{path}: {error.json_path}: {error.message}")
    print(f"{len(paths)} manifests, {wrong} errors")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
