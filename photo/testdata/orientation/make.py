#!/usr/bin/env python3
"""Makes photos that say in many ways which side is up, and right.json: what Pillow makes of them.

right.json maps a file's name to the size and the SHA-256 of the RGB bytes of
ImageOps.exif_transpose(Image.open(f)).convert("RGB"), in the form of ../../right_test.go. Made with Pillow 13.0.0.
"""
import hashlib
import io
import json
import pathlib
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
blocks = np.random.default_rng(3).integers(0, 256, (2, 3, 3), dtype=np.uint8)
picture = Image.fromarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))[:14, :21])
XMP = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" %s</rdf:Description>'
ATTRIBUTE = (XMP % 'tiff:Orientation="%d">').encode()
ELEMENT = (XMP % "><tiff:Orientation>%d</tiff:Orientation>").encode()
BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, SSHORT, SLONG, FLOAT = 1, 2, 3, 4, 5, 6, 8, 9, 11
LETTER = {BYTE: "B", SHORT: "H", LONG: "L", SBYTE: "b", SSHORT: "h", SLONG: "l", FLOAT: "f"}


def saved(kind, image=picture, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(value=6, kind=SHORT, order="<", count=1, before=(), offset=8, magic=42):
    """A TIFF structure with the orientation behind other entries, four bytes (type, count, value) each."""
    letters = {RATIONAL: "LL"}.get(kind) or LETTER[kind]
    data = struct.pack(order + letters * count, *([value, 1] if kind == RATIONAL else [value]) * count)
    entries = [struct.pack(order + "HHL", tag, t, n) + v for tag, t, n, v in before]
    end = offset + 2 + 12 * (len(entries) + 1) + 4
    inline = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "L", end)
    entries.append(struct.pack(order + "HHL", 0x0112, kind, count) + inline)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", magic, offset)
    body = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return head.ljust(offset, b"\0") + body + (data if len(data) > 4 else b"")


def segment(number, body):
    return b"\xff" + bytes([0xE0 + number]) + struct.pack(">H", len(body) + 2) + body


def app1(*tiffs, prefix=b"Exif\0\0"):
    return b"".join(segment(1, prefix + t) for t in tiffs)


def app1_xmp(xmp):
    return segment(1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)


def jpeg(*segments):
    """A JPEG with segments behind its JFIF segment."""
    data = saved("JPEG")
    return data[:20] + b"".join(segments) + data[20:]


def chunk(name, body):
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def png(*before, after=b""):
    data = saved("PNG")
    return data[:33] + b"".join(before) + data[33:-12] + after + data[-12:]


def itxt(text, compressed=False):
    text = zlib.compress(text) if compressed else text
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + (b"\1\0" if compressed else b"\0\0") + b"\0\0" + text)


def raw_profile(tiff):
    return ("\nexif\n%8d\n" % len(tiff) + "\n".join(tiff.hex()[i : i + 20] for i in range(0, 2 * len(tiff), 20))).encode()


def webp(*chunks, flags=8, first=(), **options):
    """A WebP with an extended header, chunks before the pixels and chunks behind them."""
    pixels, data, at = [], saved("WEBP", **options), 12
    while at < len(data):
        size = struct.unpack("<L", data[at + 4 : at + 8])[0]
        pixels += [(data[at : at + 4], data[at + 8 : at + 8 + size])]
        at += 8 + size + size % 2
    w, h = picture.size
    header = bytes([flags, 0, 0, 0]) + struct.pack("<L", w - 1)[:3] + struct.pack("<L", h - 1)[:3]
    every = [(b"VP8X", header), *first, *pixels, *chunks]
    body = b"".join(n + struct.pack("<L", len(d)) + d + bytes(len(d) % 2) for n, d in every)
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


def tiff(kind, order, xmp=b""):
    """A TIFF whose pixels begin at byte 1000."""
    w, h = picture.size
    entries = [(256, SHORT, w), (257, SHORT, h), (258, SHORT, 8), (259, SHORT, 1), (262, SHORT, 1), (273, LONG, 1000),
               (274, kind, 6), (277, SHORT, 1), (278, SHORT, h), (279, LONG, w * h)]
    if xmp:
        entries[6] = (700, BYTE, xmp)
    entries.sort(key=lambda e: e[0])
    data = (b"II" if order == "<" else b"MM") + struct.pack(order + "HLH", 42, 8, len(entries))
    for tag, k, v in entries:
        if isinstance(v, bytes):
            data += struct.pack(order + "HHLL", tag, k, len(v), 400)
        else:
            data += struct.pack(order + "HHL", tag, k, 1) + struct.pack(order + LETTER[k], v).ljust(4, b"\0")
    return (data + bytes(4)).ljust(400, b"\0") + xmp.ljust(600, b"\0") + picture.convert("L").tobytes()


def make():
    files = {}
    for o in range(1, 9):
        files |= {
            f"jpeg_{o}.jpg": jpeg(app1(exif(o, order="<>"[o % 2]))),
            f"png_{o}.png": png(chunk(b"eXIf", exif(o, order=">"))),
            f"webp_{o}.webp": webp((b"EXIF", exif(o)), lossless=True),
            f"tiff_{o}.tiff": saved("TIFF", tiffinfo={274: o}),
        }
    for name, kind in (("byte", BYTE), ("long", LONG), ("rational", RATIONAL), ("sbyte", SBYTE), ("sshort", SSHORT), ("slong", SLONG), ("float", FLOAT)):
        files |= {f"type_{name}.jpg": jpeg(app1(exif(kind=kind, order=">"))), f"type_{name}.png": png(chunk(b"eXIf", exif(kind=kind)))}
        files[f"type_{name}.tiff"] = tiff(kind if kind != RATIONAL else SHORT, ">")
    make_entry = (0x010F, ASCII, 20, struct.pack("<L", 60000))
    jfif, bare = jpeg()[2:20], jpeg()[20:]
    files |= {
        "count_2.jpg": jpeg(app1(exif(count=2))),
        "count_5.jpg": jpeg(app1(exif(count=5))),
        "value_9.jpg": jpeg(app1(exif(9)), app1_xmp(ATTRIBUTE % 3)),
        "unknown_type_before.jpg": jpeg(app1(exif(before=[(0x010F, 129, 4, b"abc\0"), (0x0110, 0, 1, bytes(4))]))),
        "empty_entry_before.jpg": jpeg(app1(exif(before=[(0x0112, SHORT, 0, b"\3\0\0\0")]))),
        "bad_sub_directory_before.jpg": jpeg(app1(exif(before=[(0x8769, LONG, 1, b"\xff\xff\0\0")]))),
        "values_past_the_end_before.jpg": jpeg(app1(exif(before=[make_entry]))),
        "values_beyond_the_size_before.jpg": jpeg(app1(exif(before=[(0x010F, ASCII, 1 << 30, make_entry[3])]))),
        "values_past_the_end_then_xmp.jpg": jpeg(app1(exif(before=[make_entry])), app1_xmp(ELEMENT % 8)),
        "two_entries.jpg": jpeg(app1(exif(before=[(0x0112, SHORT, 1, b"\3\0\0\0")]))),
        "directory_at_odd_offset.jpg": jpeg(app1(exif(offset=33))),
        "directory_far_away.png": png(chunk(b"eXIf", exif(offset=601))),
        "cut_behind_the_entry.jpg": jpeg(app1(exif()[:-4])),
        "cut_in_the_entry.jpg": jpeg(app1(exif()[:-5]), app1_xmp(ATTRIBUTE % 3)),
        "magic_43_little.jpg": b"\xff\xd8" + app1(exif(magic=43)) + bare,
        "magic_43_big.jpg": b"\xff\xd8" + app1(exif(magic=43, order=">")) + bare,
        "magic_swapped.jpg": jpeg(app1(exif(magic=0x2A00))),
        "prefix_with_ff.jpg": jpeg(app1(exif(), prefix=b"Exif\0\xff")),
        "prefix_twice.jpg": jpeg(app1(exif(), prefix=b"Exif\0\0" * 2)),
        "prefix.png": png(chunk(b"eXIf", b"Exif\0\0" + exif())),
        "prefix.webp": webp((b"EXIF", b"Exif\0\0" + exif())),
        "empty_segment_first.jpg": jpeg(app1(b"", exif())),
        "split_over_two_segments.jpg": jpeg(app1(exif()[:13], exif()[13:])),
        "two_good_segments.jpg": jpeg(app1(exif(6), exif(3))),
        "fill_bytes.jpg": b"\xff\xd8" + b"\xff" * 7 + app1(exif()) + jfif + b"\xff" + bare,
        "junk_between_segments.jpg": jpeg(b"\x55\xff\0\x12", app1(exif())),
        "segment_of_length_0_before.jpg": jpeg(b"\xff\xe5\0\0\xff\xfe\0\1", app1(exif())),
        "restart_marker_before.jpg": jpeg(b"\xff\xd3", app1(exif())),
        "xmp_attribute.jpg": jpeg(app1_xmp(ATTRIBUTE % 6)),
        "xmp_element.jpg": jpeg(app1_xmp(ELEMENT % 6)),
        "xmp_single_quotes.jpg": jpeg(app1_xmp(ATTRIBUTE.replace(b'"', b"'") % 6)),
        "xmp_and_exif.jpg": jpeg(app1_xmp(ATTRIBUTE % 6), app1(exif(3))),
        "xmp_twice.jpg": jpeg(app1_xmp(ATTRIBUTE % 6), app1_xmp(ELEMENT % 3)),
        "xmp.png": png(itxt(ATTRIBUTE % 6)),
        "xmp_compressed.png": png(itxt(ELEMENT % 6, compressed=True)),
        "xmp_behind_the_pixels.png": png(after=itxt(ATTRIBUTE % 8)),
        "xmp.webp": webp((b"XMP ", ATTRIBUTE % 6), flags=4),
        "xmp.tiff": tiff(SHORT, "<", ATTRIBUTE % 6),
        "raw_profile.png": png(chunk(b"tEXt", b"Raw profile type exif\0" + raw_profile(exif()))),
        "raw_profile_compressed.png": png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(b"Exif\0\0" + exif())))),
        "raw_profile_of_app1.png": png(chunk(b"tEXt", b"Raw profile type APP1\0" + raw_profile(exif()))),
        "exif_and_raw_profile.png": png(chunk(b"tEXt", b"Raw profile type exif\0" + raw_profile(exif(3))), chunk(b"eXIf", exif())),
        "behind_the_pixels.png": png(after=chunk(b"eXIf", exif())),
        "odd_chunk_before.webp": webp((b"JUNK", b"abc"), (b"EXIF", exif())),
        "odd_profile_before.webp": webp((b"EXIF", exif()), first=[(b"ICCP", b"x" * 33)], flags=8 | 32),
        "before_the_pixels.webp": webp(first=[(b"EXIF", exif())]),
        "flag_missing.webp": webp((b"EXIF", exif()), flags=0),
        "exif_and_xmp.webp": webp((b"XMP ", ATTRIBUTE % 3 + b" "), (b"EXIF", exif()), flags=12),
        "outside_the_file.webp": webp() + b"EXIF" + struct.pack("<L", len(exif())) + exif(),
    }
    return files


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    right = {}
    for name, data in sorted(make().items()):
        (here / name).write_bytes(data)
        rgb = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        right[name] = {"pillow": {"width": rgb.width, "height": rgb.height, "sha256_rgb": hashlib.sha256(rgb.tobytes()).hexdigest()}}
    (here / "right.json").write_text(json.dumps(right, indent=1) + "\n")
