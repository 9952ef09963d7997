#!/usr/bin/env python3
"""An OCI image layout from a description on standard input, with layers as no builder would write them.

    mkoci.py LAYOUT REF < description

A line of the description (words as of a shell; # begins a comment):

    layer                            the next layer, bottom first
    tar FILE                         the same: this archive, as it is
    d PATH MODE UID GID MTIME        a directory
    f PATH MODE UID GID MTIME TEXT   a file; \\n is a line feed;  @FILE: with the content of FILE
    s PATH TARGET                    a symbolic link
    h PATH TARGET                    a hard link
    p PATH                           a pipe
    c PATH MAJOR MINOR               a character device
    w PATH                           a whiteout of PATH
    o PATH                           all that lower layers have in the directory PATH is hidden
    x NAME VALUE                     an extended attribute of the entry before
    config KEY JSON                  a member of the configuration's "config"
"""
import hashlib
import io
import json
import os
import shlex
import sys
import tarfile


def entry(words, last):
    kind, path = words[0], words[1]
    t = tarfile.TarInfo(path)
    t.mtime, t.mode, data = 1000000000, 0o644, None
    if kind in "df" and len(words) > 2:
        t.mode, t.uid, t.gid, t.mtime = int(words[2], 8), int(words[3]), int(words[4]), int(words[5])
    if kind == "d":
        t.type = tarfile.DIRTYPE
    elif kind == "f":
        text = words[6] if len(words) > 6 else ""
        data = open(text[1:], "rb").read() if text.startswith("@") else text.replace("\\n", "\n").encode()
    elif kind in "sh":
        t.type, t.linkname = (tarfile.SYMTYPE if kind == "s" else tarfile.LNKTYPE), words[2]
        t.mode = 0o777
    elif kind == "p":
        t.type = tarfile.FIFOTYPE
    elif kind == "c":
        t.type, t.devmajor, t.devminor = tarfile.CHRTYPE, int(words[2]), int(words[3])
    elif kind in "wo":
        head, _, base = path.rpartition("/")
        name = ".wh." + base if kind == "w" else ".wh..wh..opq"
        t.name = "/".join(p for p in ((head if kind == "w" else path), name) if p)
    elif kind == "x":
        last[0].pax_headers["SCHILY.xattr." + path] = words[2]
        return None
    else:
        sys.exit("unknown word " + kind)
    return [t, data]


def read(lines):
    layers, config = [], {}
    for line in lines:
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "layer":
            layers.append([])
        elif words[0] == "tar":
            layers.append(open(words[1], "rb").read())
        elif words[0] == "config":
            config[words[1]] = json.loads(line.split(None, 2)[2])
        else:
            e = entry(words, layers[-1][-1] if layers[-1] else None)
            if e:
                layers[-1].append(e)
    return layers, config


def tar(entries):
    if isinstance(entries, bytes):
        return entries
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as w:
        for t, data in entries:
            t.size = len(data or b"")
            w.addfile(t, io.BytesIO(data or b""))
    return out.getvalue()


def main():
    layout, ref = sys.argv[1:3]
    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def put(data, media):
        h = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, h), "wb") as f:
            f.write(data)
        return {"mediaType": media, "digest": "sha256:" + h, "size": len(data)}

    oci = "application/vnd.oci.image."
    layers, config = read(sys.stdin)
    layers = [put(tar(entries), oci + "layer.v1.tar") for entries in layers]
    document = {"architecture": os.environ.get("MKOCI_ARCH", "amd64"), "os": "linux", "config": config,
                "rootfs": {"type": "layers", "diff_ids": [l["digest"] for l in layers]}}
    manifest = {"schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
                "config": put(json.dumps(document).encode(), oci + "config.v1+json"), "layers": layers}
    d = put(json.dumps(manifest).encode(), oci + "manifest.v1+json")
    d["annotations"] = {"org.opencontainers.image.ref.name": ref}
    index = os.path.join(layout, "index.json")
    have = json.load(open(index))["manifests"] if os.path.exists(index) else []
    have = [m for m in have if m["annotations"]["org.opencontainers.image.ref.name"] != ref] + [d]
    with open(index, "w") as f:
        json.dump({"schemaVersion": 2, "manifests": have}, f)
    with open(os.path.join(layout, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    print(d["digest"])


main()
