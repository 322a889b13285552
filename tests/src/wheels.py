"""Makes distributions for tests. Standard input: a JSON list of [file name, {path: text}]. Each becomes
a zip of that name in the folder that is named, a wheel with its metadata, or, as *.tar.gz, a source
archive. The text of a *.pyc is the source of which the file has the bytecode, to be taken as it is. Times
are fixed, so that the same input makes the same bytes."""

import base64
import gzip
import hashlib
import importlib._bootstrap_external as loader
import io
import json
import sys
import tarfile
import zipfile

folder = sys.argv[1]


def content(path, text):
    if not path.endswith(".pyc"):
        return text.encode()
    return loader._code_to_hash_pyc(compile(text, path, "exec"), b"unlikely", False)


def wheel(file, files):
    name, version = file.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = dict(files)
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    needs = files.pop("REQUIRES", "")
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs.split())
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
    record = ""
    for path, text in files.items():
        data = content(path, text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(f"{folder}/{file}", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), content(path, text))


def source(file, files):
    stem = file.removesuffix(".tar.gz")
    with open(f"{folder}/{file}", "wb") as raw, gzip.GzipFile(fileobj=raw, mode="w", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(f"{stem}/{path}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))


for file, files in json.load(sys.stdin):
    (source if file.endswith(".tar.gz") else wheel)(file, files)
