#!/usr/bin/python3
"""Prints apt sources for one Debian release, at the mirrors of this machine.

    sources.py CODENAME [DIRECTORY]

Reads the apt sources in DIRECTORY (/etc/apt), keeps those that name a Debian
release, and prints the same mirrors, keys and suite kinds (main, -updates,
-security) with CODENAME in the release's place. No mirror is named in this
tree: a machine that may reach only its own mirror reaches it here as well.
"""

import re
import sys
from pathlib import Path

RELEASES = ("oldstable", "stable", "testing", "unstable", "sid", "bookworm", "trixie", "forky", "duke")
# Backports are left out on purpose: the kernel of bookworm-backports oopses
# under TCG, and the guest is to be what a plain Debian gives.
SUITE = re.compile(rf"^(?:{'|'.join(RELEASES)})(|-updates|-security)$")
# What decides whether a mirror can be reached and believed; nothing else is kept.
KEPT_OPTIONS = ("signed-by", "trusted", "check-valid-until", "allow-insecure")


def stanzas_of_deb822(text):
    """Yields the fields of each stanza, names in lower case, values verbatim."""
    for block in re.split(r"\n[ \t]*\n", text):
        fields, name = {}, None
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def stanzas_of_one_line_format(text):
    """Yields the same fields for each `deb [options] uri suite component...`."""
    for line in text.splitlines():
        match = re.match(r"^\s*deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.+)$", line.split("#")[0])
        if match:
            options, uri, suite, components = match.groups()
            fields = {"types": "deb", "uris": uri, "suites": suite, "components": components}
            for option in (options or "").split():
                name, _, value = option.partition("=")
                fields[name.lower()] = value
            yield fields


def for_release(fields, codename):
    """The stanza at the same mirror for `codename`, or None where it is not Debian's main."""
    kinds = [match.group(1) for match in map(SUITE.match, fields.get("suites", "").split()) if match]
    if (
        not kinds
        or "deb" not in fields.get("types", "").split()
        or "main" not in fields.get("components", "").split()
        or fields.get("enabled", "yes").lower() in ("no", "false", "off", "0")
    ):
        return None
    lines = [
        "Types: deb",
        f"URIs: {fields['uris']}",
        f"Suites: {' '.join(codename + kind for kind in kinds)}",
        "Components: main",
        "Targets: Packages",
    ]
    lines += [f"{name.title()}: {fields[name]}" for name in KEPT_OPTIONS if name in fields]
    return "\n".join(lines) + "\n"


def main():
    codename = sys.argv[1]
    directory = Path(sys.argv[2] if len(sys.argv) > 2 else "/etc/apt")
    found = []
    files = [directory / "sources.list", *sorted((directory / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        parse = stanzas_of_deb822 if path.suffix == ".sources" else stanzas_of_one_line_format
        found += filter(None, (for_release(fields, codename) for fields in parse(text)))
    if not found:
        sys.exit(f"rig: the apt sources in {directory} name no Debian release, so the rig has no mirror to fetch from")
    print("\n".join(dict.fromkeys(found)), end="")


main()
