"""Sums JUnit reports and prints 'N passed, N failed, N skipped' as last line.

usage: count-tests.py REPORT.xml...

Names the failed tests first. Exits 1 if one failed or if none ran.
"""

import sys
import xml.etree.ElementTree as ElementTree


def main(paths):
    passed, failed, skipped = 0, [], 0
    for path in paths:
        for case in ElementTree.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{case.get('classname')}: {case.get('name')}")
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    for name in failed:
        print(f"FAILED {name}")
    if passed + len(failed) == 0:
        print("error: no test ran", file=sys.stderr)
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped", flush=True)
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
