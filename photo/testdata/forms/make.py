#!/usr/bin/env python3
"""Makes BMPs, GIFs, PNGs, WebPs and TIFFs of unusual forms, whole and damaged, and right.json: what Pillow makes of them.

right.json maps a file's name to the size and the SHA-256 of the RGB bytes of
ImageOps.exif_transpose(Image.open(f)).convert("RGB"), or to what Pillow says against it ("refused"),
in the form of ../../right_test.go. Made with Pillow 13.0.0 (libwebp 1.6.0, libtiff 4.7.1).
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
W, H = 13, 9
random = np.random.default_rng(11)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([127 + 120 * np.sin(x / 3 + y / 5), 255 * x / W, 255 * y / H], axis=2)
rgb = (rgb + random.normal(0, 6, rgb.shape)).clip(0, 255).astype(np.uint8)
index = random.integers(0, 256, (H, W), dtype=np.uint8)  # of a palette
colours = random.integers(0, 256, (256, 3), dtype=np.uint8)
ramp = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)


def packed(values, bits):
    """A row of values of 1, 2, 4 or 8 bits, high bits first."""
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((values[:, None] >> places & 1).ravel().astype(np.uint8)).tobytes()


# ---- BMP

def bmp_rows(rows):
    return b"".join(r + bytes(-len(r) % 4) for r in reversed(rows))


def bmp(pixels, bits, palette=b"", compression=0, colours=0, size=40, masks=(), height=H, gap=b"", offset=None):
    """A BMP with a header of so many bytes; masks stand in it or behind it."""
    if size == 12:
        header = struct.pack("<LHHHH", 12, W, height, 1, bits)
    else:
        header = struct.pack("<LllHHLLllLL", size, W, height, 1, bits, compression, 0, 2835, 2835, colours, 0)
    masks = struct.pack("<%dL" % len(masks), *masks)
    header = (header + masks).ljust(size, b"\0") if size != 40 else header + masks[:12]
    at = 14 + len(header) + len(palette) + len(gap)
    return b"BM" + struct.pack("<LHHL", at + len(pixels), 0, 0, at if offset is None else offset) + header + palette + gap + pixels


def table(colours, entry=4):
    return b"".join(bytes(c[::-1]) + bytes(entry - 3) for c in colours)


def bmp_indexed(bits, n=None, **options):
    n = n or 1 << bits
    entry = 3 if options.get("size") == 12 else 4
    return bmp(bmp_rows([packed(r & (1 << bits) - 1, bits) for r in index]), bits, table(colours[:n], entry), **options)


def bmp_of(values, kind, bits, **options):
    return bmp(bmp_rows([r.astype(kind).tobytes() for r in values]), bits, **options)


def rle(rows, bits, literal=()):
    """Run lengths of rows from the bottom up; rows in literal are stored as they are."""
    out = b""
    for at in reversed(range(len(rows))):
        row, n = rows[at] & (1 << bits) - 1, len(rows[at])
        if at in literal:
            body = packed(row, bits)
            out += bytes([0, n]) + body + bytes(len(body) % 2)
        elif bits == 8:
            out += b"".join(bytes([1, v]) for v in row)
        else:
            out += b"".join(bytes([min(2, n - i)]) + packed(row[i:i + 2], 4) for i in range(0, n, 2))
        out += b"\0\0"
    return out + b"\0\1"


def bmps():
    words, quads = random.integers(0, 1 << 16, (H, W)), random.integers(0, 256, (H, W, 4), dtype=np.uint8)
    bgr = rgb[:, :, ::-1]
    pal, gray = table(colours), table(ramp)
    files = {}
    for bits in (1, 2, 4, 8):
        files[f"{bits}"] = bmp_indexed(bits)
        files[f"{bits}_os2"] = bmp_indexed(bits, size=12)
        files[f"{bits}_top_down"] = bmp_indexed(bits, height=-H)
    for bits, n in ((4, 11), (8, 200)):
        files[f"{bits}_short_palette"] = bmp_indexed(bits, n, colours=n)
    for size in (52, 56, 64, 108, 124):
        files[f"24_header_{size}"] = bmp_of(bgr, np.uint8, 24, size=size)
    files |= {
        "8_grey": bmp(bmp_rows([r.tobytes() for r in index]), 8, gray),
        "8_short_grey": bmp(bmp_rows([r.tobytes() for r in index]), 8, gray[:800], colours=200),
        "8_header_16": bmp(b"", 8, pal, size=16),
        "8_300_colours": bmp(bmp_rows([r.tobytes() for r in index]), 8, pal + pal[:176], colours=300),
        "8_offset_0": bmp_indexed(8, offset=0),
        "8_offset_of_palette": bmp_indexed(8, offset=54),
        "8_cut": bmp_indexed(8)[:-30],
        "8_last_padding_missing": bmp_indexed(8)[:-3],
        "1_white_first": bmp(bmp_rows([packed(r & 1, 1) for r in index]), 1, table([ramp[255], ramp[0]])),
        "1_one_colour": bmp_indexed(1, 1, colours=1),
        "24_gap": bmp_of(bgr, np.uint8, 24, gap=b"\xaa" * 13),
        "24_palette": bmp_of(bgr, np.uint8, 24, palette=pal[:80], colours=20),
        "24_os2": bmp_of(bgr, np.uint8, 24, size=12),
        "24_masks": bmp_of(bgr, np.uint8, 24, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)),
        "24_jpeg": bmp_of(bgr, np.uint8, 24, compression=4),
        "16": bmp_of(words, "<u2", 16),
        "16_565": bmp_of(words, "<u2", 16, compression=3, masks=(0xF800, 0x7E0, 0x1F)),
        "16_565_v3": bmp_of(words, "<u2", 16, compression=3, size=56, masks=(0xF800, 0x7E0, 0x1F, 0)),
        "16_444": bmp_of(words, "<u2", 16, compression=3, masks=(0xF00, 0xF0, 0xF)),
        "32": bmp_of(quads, np.uint8, 32),
    }
    for i, masks in enumerate([
        (0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0), (0x3FF00000, 0xFFC00, 0x3FF, 0),
    ]):
        files[f"32_masks_{i}_v5"] = bmp_of(quads, np.uint8, 32, compression=3, size=124, masks=masks)
    files["32_masks_v3"] = bmp_of(quads, np.uint8, 32, compression=3, masks=(0xFF000000, 0xFF0000, 0xFF00))

    def runs(data, bits=8, **options):
        return bmp(data, bits, table(colours[:1 << bits]), 1 if bits == 8 else 2, **options)
    line = bytes([W, 7, 0, 0])
    files |= {
        "rle8": runs(rle(index, 8, literal=(1, 4, 8))),
        "rle8_top_down": runs(rle(index, 8, literal=(2, 3)), height=-H),
        "rle8_odd_offset": runs(rle(index, 8, literal=(1, 4)), gap=b"\0"),
        "rle8_grey": bmp(rle(index, 8, literal=(5,)), 8, gray, 1),
        "rle4": runs(rle(index, 4, literal=(0, 1, 6)), 4),
        "rle8_delta": runs(bytes([5, 1, 0, 2, 3, 2, 4, 9, 0, 0]) + line * 6 + b"\0\1"),
        "rle8_runs_beyond_rows": runs(bytes([40, 1, 0, 0]) * H + b"\0\1"),
        "rle8_runs_behind_rows": runs(bytes([10, 1, 40, 2, 3, 3, 0, 0]) * H + b"\0\1"),
        "rle8_literal_over_rows": runs(bytes([0, 20]) + bytes(range(20)) + b"\0\0" + line * 7 + b"\0\1"),
        "rle8_short_rows": runs(b"".join(bytes([i + 1, i + 2, 0, 0]) for i in range(H)) + b"\0\1"),
        "rle8_without_end": runs(line * H),
        "rle8_early_end": runs(line * 4 + b"\0\1"),
        "rle8_cut": runs(line * 4),
        "rle8_in_24_bits": bmp(line * H, 24, b"", 1),
    }
    return files


# ---- GIF

def lzw(values, bits=8, end=True):
    """LZW codes of values of so many bits, low bits first."""
    clear, codes, width, last = 1 << bits, {(v,): v for v in range(1 << bits)}, bits + 1, ()
    out = [(clear, width)]
    for v in values:
        v = int(v)
        if last + (v,) in codes:
            last += (v,)
            continue
        out.append((codes[last], width))
        codes[last + (v,)] = len(codes) + 2
        width += len(codes) + 2 > 1 << width and width < 12
        last = (v,)
    out.append((codes[last], width))
    if end:
        width += len(codes) + 3 > 1 << width and width < 12
        out.append((clear + 1, width))
    stream = "".join(format(c, f"0{n}b")[::-1] for c, n in out)
    return bytes(int(stream[i:i + 8][::-1], 2) for i in range(0, len(stream), 8))


def blocks(data, size=255, between=b""):
    return b"".join(bytes([len(data[i:i + size])]) + data[i:i + size] + between for i in range(0, len(data), size)) + b"\0"


def control(transparent=None):
    return b"!\xf9\4" + bytes([transparent is not None, 0, 0, transparent or 0, 0])


def gif(values=index, at=(0, 0), screen=(W, H), bits=8, table=None, local=None, before=b"", interlaced=False, codes=None, end=b";", version=b"89a"):
    """A GIF of one frame; before stands in front of it, codes instead of its own."""
    def flags(t):
        return 0 if t is None else 0x80 | (len(t).bit_length() - 2)
    rows = range(values.shape[0])
    if interlaced:
        rows = [r for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for r in rows[first::step]]
    if codes is None:
        codes = blocks(lzw(values[list(rows)].ravel(), bits))
    out = b"GIF" + version + struct.pack("<HHBBB", *screen, flags(table), 9, 0) + (b"" if table is None else table.tobytes()) + before
    out += b"," + struct.pack("<HHHHB", *at, values.shape[1], values.shape[0], flags(local) | 0x40 * interlaced)
    return out + (b"" if local is None else local.tobytes()) + bytes([bits]) + codes + end


def gifs():
    sixteen, other = index & 15, colours[100:116]
    c16, stream = colours[:16], lzw(index.ravel())
    return {
        "plain": gif(table=colours),
        "87a": gif(sixteen, bits=4, table=c16, version=b"87a"),
        "interlaced": gif(table=colours, interlaced=True),
        "interlaced_low": gif(index[:3], screen=(W, 3), table=colours, interlaced=True),
        "one_bit": gif(index & 1, bits=2, table=c16[:2]),
        "one_bit_codes": gif(index & 1, bits=1, table=c16[:2]),
        "nine_bit_codes": gif(bits=9, table=colours),
        "no_palette": gif(),
        "no_palette_transparent": gif(at=(2, 1), screen=(W + 4, H + 3), before=control(77)),
        "grey_palette": gif(table=ramp[:16]),
        "indices_beyond_palette": gif(table=c16),
        "local_palette": gif(sixteen, bits=4, table=colours, local=other),
        "local_palette_transparent": gif(sixteen, bits=4, table=colours, local=other, before=control(5)),
        "local_palette_alone": gif(sixteen, bits=4, local=other, before=control(5)),
        "frame_smaller": gif(at=(2, 1), screen=(W + 4, H + 3), table=colours),
        "frame_smaller_transparent": gif(at=(2, 1), screen=(W + 4, H + 3), table=colours, before=control(3)),
        "frame_smaller_local_palette": gif(sixteen, at=(2, 1), screen=(W + 4, H + 3), bits=4, table=colours, local=other, before=control(9)),
        "frame_beyond_screen": gif(at=(5, 3), table=colours),
        "frame_larger": gif(screen=(4, 3), table=colours),
        "frame_empty": gif(index[:0], table=colours, codes=b"\0"),
        "screen_empty": gif(screen=(0, 0), table=colours),
        "control_twice": gif(at=(2, 1), screen=(W + 4, H + 3), table=colours, before=control(3) + control()),
        "zeros_between": gif(table=colours, before=b"\0\0\1\2"),
        "unknown_extension": gif(table=colours, before=b"!\x99\3abc\2de\0"),
        "comments": gif(table=colours, before=b"!\xfe\3abc\0!\xfe\5hello\0"),
        "loop": gif(table=colours, before=b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"),
        "blocks_of_one": gif(table=colours, codes=blocks(stream, 1)),
        "empty_blocks": gif(table=colours, codes=blocks(stream, 20, b"\0")),
        "too_much": gif(table=colours, codes=blocks(lzw(list(index.ravel()) + [1] * 90))),
        "too_little": gif(table=colours, codes=blocks(lzw(index.ravel()[:-1]))),
        "no_end_code": gif(table=colours, codes=blocks(lzw(index.ravel(), end=False))),
        "no_trailer": gif(table=colours, end=b""),
        "cut": gif(table=colours, end=b"")[:-20],
        "wrong_code": gif(table=colours, codes=blocks(b"\0" + b"\xff" * 9)),
        "no_picture": gif(table=colours)[:13 + 768] + b";",
        "full_table": gif(np.tile(index, (9, 7))[:77, :83] ^ np.arange(83, dtype=np.uint8) ** 2 % 251, screen=(83, 77), table=colours),
    }


# ---- PNG

def chunk(kind, body, crc=None):
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body) if crc is None else crc)


SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png_rows(depth, colour, interlaced):
    """Rows of chance, with their filter bytes."""
    rows = []
    for first, top, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        n = (len(range(first, W, dx)) * SAMPLES[colour] * depth + 7) // 8
        rows += [random.integers(0, 5, dtype=np.uint8).tobytes() + random.bytes(n) for _ in range(top, H, dy)]
    return rows


def png(depth=8, colour=2, interlaced=0, rows=None, stream=None, before=b"", idat=None, after=chunk(b"IEND", b""), header=None):
    stream = zlib.compress(b"".join(rows or png_rows(depth, colour, interlaced)), 9) if stream is None else stream
    header = header or struct.pack(">LLBBBBB", W, H, depth, colour, 0, 0, interlaced)
    if colour == 3:
        before += chunk(b"PLTE", colours[:1 << depth].tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + (chunk(b"IDAT", stream) if idat is None else idat) + after


def pngs():
    files = {}
    for depth, colour in ((1, 0), (4, 0), (8, 0), (8, 2), (16, 2), (1, 3), (8, 3), (8, 4), (8, 6), (16, 6)):
        for interlaced in (0, 1):
            rows = png_rows(depth, colour, interlaced)
            form = (depth, colour, interlaced)
            name = "{}_bits_colour_{}_interlace_{}_".format(*form)
            files[name + "more"] = png(*form, rows=rows + [bytes(50)])
            files[name + "no_adler"] = png(*form, stream=zlib.compress(b"".join(rows))[:-4])
            if not interlaced:
                files[name + "less"] = png(*form, rows=rows[:H // 2])
    rows = png_rows(8, 2, 0)
    stream = zlib.compress(b"".join(rows))
    full = struct.pack(">LLLLLHHBB", 0, W, H, 0, 0, 1, 10, 0, 0)
    files |= {
        "half_a_row_less": png(rows=rows[:4] + [rows[4][:20]]),
        "wrong_adler": png(stream=stream[:-4] + b"abcd"),
        "wrong_crc": png(idat=chunk(b"IDAT", stream, 1)),
        "wrong_crc_of_text_before": png(before=chunk(b"tEXt", b"a\0b", 1)),
        "wrong_crc_of_text_behind": png(after=chunk(b"tEXt", b"a\0b", 1) + chunk(b"IEND", b"")),
        "wrong_crc_of_end": png(after=chunk(b"IEND", b"", 1)),
        "no_end": png(after=b""),
        "junk_for_an_end": png(after=b"---- - - - -"),
        "cut_in_the_checksum": png(after=b"")[:-2],
        "cut": png(after=b"")[:-60],
        "many_chunks": png(idat=b"".join(chunk(b"IDAT", stream[i:i + 9], 1) for i in range(0, len(stream), 9))),
        "empty_chunks": png(idat=chunk(b"IDAT", b"") + chunk(b"IDAT", stream, 1) + chunk(b"IDAT", b"")),
        "text_amid_pixels": png(idat=chunk(b"IDAT", stream[:80]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", stream[80:])),
        "wrong_zlib_header": png(stream=b"\0" + stream),
        "wrong_filter": png(rows=[b"\5" + rows[0][1:]] + rows[1:]),
        "unknown_chunk": png(before=chunk(b"ABCD", b"xyz"), stream=stream[:-4]),
        "palette_of_grey": png(8, 0, before=chunk(b"PLTE", bytes(12))),
        "palette_too_long": png(1, 3, before=chunk(b"PLTE", colours[:20].tobytes())),
        "long_header": png(header=struct.pack(">LLBBBBB", W, H, 8, 2, 0, 0, 0) + b"x"),
        "short_header": png(header=struct.pack(">LLBBBB", W, H, 8, 2, 0, 0)),
        "compression_1": png(header=struct.pack(">LLBBBBB", W, H, 8, 2, 1, 0, 0)),
        "filters_1": png(header=struct.pack(">LLBBBBB", W, H, 8, 2, 0, 1, 0)),
        "animated": png(before=chunk(b"acTL", struct.pack(">LL", 1, 0)) + chunk(b"fcTL", full), stream=stream[:-4]),
    }
    return files


# ---- WebP

def riff(*chunks, size=None, behind=b""):
    body = b"WEBP" + b"".join(riff_chunk(*c) for c in chunks)
    return b"RIFF" + struct.pack("<L", len(body) if size is None else size) + body + behind


def riff_chunk(kind, body):
    return kind + struct.pack("<L", len(body)) + body + bytes(len(body) % 2)


def pictures(image, **options):
    """The chunks that Pillow writes for the image, by name."""
    out = io.BytesIO()
    image.save(out, "WEBP", exact=True, **options)
    data, at, found = out.getvalue(), 12, {}
    while at < len(data):
        size = struct.unpack("<L", data[at + 4:at + 8])[0]
        found[data[at:at + 4]] = data[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    return {k: found[k] for k in (b"ALPH", b"VP8 ", b"VP8L") if k in found}


def uint24(v):
    return struct.pack("<L", v)[:3]


def webps():
    image = Image.fromarray(rgb)
    alpha = Image.fromarray(np.dstack([rgb, index]))
    lossy, lossless = pictures(image, quality=70), pictures(image, lossless=True)
    lossy_alpha, lossless_alpha = pictures(alpha, quality=70), pictures(alpha, lossless=True)

    def header(flags, w=W, h=H):
        return b"VP8X", bytes([flags, 0, 0, 0]) + uint24(w - 1) + uint24(h - 1)

    def frame(chunks, at=(0, 0)):
        return b"ANMF", uint24(at[0] // 2) + uint24(at[1] // 2) + uint24(W - 1) + uint24(H - 1) + uint24(50) + b"\0" + b"".join(
            riff_chunk(*c) for c in chunks.items())
    animated, has_alpha, anim = 2, 16, (b"ANIM", b"\x20\x40\x80\xff\0\0")
    files = {
        "lossy": riff(*lossy.items()),
        "lossless": riff(*lossless.items()),
        "lossless_alpha": riff(*lossless_alpha.items()),
        "lossy_alpha": riff(header(has_alpha), *lossy_alpha.items()),
        "alpha_flag_without_alpha": riff(header(has_alpha), *lossy.items()),
        "alpha_without_flag": riff(header(0), *lossy_alpha.items()),
        "broken_alpha_without_flag": riff(header(0), (b"ALPH", b"\1\xff\xff"), *lossy.items()),
        "lossless_alpha_without_flag": riff(header(0), *lossless_alpha.items()),
        "unknown_before": riff(header(0), (b"ABCD", b"xyz"), *lossy.items()),
        "unknown_first": riff((b"ABCD", b"xyz"), *lossy.items()),
        "unknown_behind": riff(*lossy.items(), (b"ABCD", b"xyz")),
        "odd_profile": riff(header(32), (b"ICCP", b"x" * 7), *lossy.items()),
        "trailing": riff(*lossy.items(), behind=b"anything at all"),
        "size_too_small": riff(*lossy.items(), size=60),
        "size_too_large": riff(*lossy.items(), size=5000),
        "size_0": riff(*lossy.items(), size=0),
        "other_canvas": riff(header(0, W + 1), *lossy.items()),
        "header_of_12": riff((b"VP8X", header(0)[1] + b"\0\0"), *lossy.items()),
        "cut": riff(*lossy.items())[:-9],
        "cut_in_the_chunk": riff((b"VP8 ", lossy[b"VP8 "][:-60])),
        "animation_flag_alone": riff(header(animated), *lossy.items()),
        "frame_without_flag": riff(header(0), anim, frame(lossy)),
        "first_frame_empty": riff(header(animated), anim, frame({}), frame(lossy)),
        "frame_beyond_canvas": riff(header(animated), anim, frame(lossy, (2, 0))),
    }
    for name, chunks in dict(lossy=lossy, lossless=lossless, lossy_alpha=lossy_alpha, lossless_alpha=lossless_alpha).items():
        files["animated_" + name] = riff(header(animated | has_alpha), anim, frame(chunks), frame(lossy))
        files["animated_one_" + name] = riff(header(animated), anim, frame(chunks))
        files["animated_smaller_" + name] = riff(header(animated | has_alpha, W + 7, H + 5), anim, frame(chunks, (4, 2)))
    return files


# ---- TIFF

def tiff(data, bits=(8,), photometric=1, order="<", **tags):
    """A TIFF of one strip. tags are t and a number, with a list of SHORTs, or None to leave one out."""
    entries = {256: [W], 257: [H], 258: list(bits), 259: [1], 262: [photometric], 273: [8], 277: [len(bits)], 278: [H], 279: [len(data)]}
    entries |= {int(name[1:]): values for name, values in tags.items()}
    entries = {tag: values for tag, values in entries.items() if values is not None}
    data += bytes(len(data) % 2)
    directory, extra = b"", b""
    for tag, values in sorted(entries.items()):
        packed_values = struct.pack(f"{order}{len(values)}H", *values).ljust(4, b"\0")
        if len(packed_values) > 4:
            at = 8 + len(data) + 2 + 12 * len(entries) + 4 + len(extra)
            extra, packed_values = extra + packed_values, struct.pack(order + "L", at)
        directory += struct.pack(order + "HHL", tag, 3, len(values)) + packed_values
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8 + len(data))
    return head + data + struct.pack(order + "H", len(entries)) + directory + bytes(4) + extra


def saved_tiff(image, **tags):
    out = io.BytesIO()
    compression = tags.pop("compression")
    image.save(out, "TIFF", compression=compression, tiffinfo={int(k[1:]): v for k, v in tags.items()})
    return out.getvalue()


def tiffs():
    image, black = Image.fromarray(rgb), Image.fromarray(index).convert("1")
    bilevel = b"".join(packed(r >> 7, 1) for r in index)
    gray, half = index.tobytes(), random.integers(1, 256, (H, W, 1), dtype=np.uint8)
    multiplied = np.dstack([rgb * (half / 255) + 3, half]).clip(0, 255).astype(np.uint8)
    wide = random.integers(0, 1 << 16, (H, W, 3))
    files = {}
    for photometric in (0, 1):
        files[f"bilevel_{photometric}"] = tiff(bilevel, (1,), photometric)
        files[f"grey_{photometric}"] = tiff(gray, photometric=photometric)
        for fill in (1, 2):
            for name in ("group3", "group4"):
                files[f"{name}_{photometric}_fill_{fill}"] = saved_tiff(black, compression=name, t262=photometric, t266=fill)
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        files[name] = saved_tiff(image, compression=name)
    for order, name in (("<", "little"), (">", "big")):
        files[f"rgb_{name}"] = tiff(rgb.tobytes(), (8, 8, 8), 2, order)
        files[f"rgb_16_bits_{name}"] = tiff(wide.astype(order + "u2").tobytes(), (16, 16, 16), 2, order)
    files |= {
        "group4_strips": saved_tiff(black, compression="group4", t262=1, t278=4),
        "predictor": saved_tiff(image, compression="tiff_lzw", t317=2),
        "palette": tiff(gray, photometric=3, t320=random.integers(0, 1 << 16, 768).tolist()),
        "multiplied_alpha": tiff(multiplied.tobytes(), (8,) * 4, 2, t338=[1]),
        "alpha": tiff(multiplied.tobytes(), (8,) * 4, 2, t338=[2]),
        "no_photometric": tiff(bilevel, (1,), t262=None),
        "turned": tiff(rgb.tobytes(), (8, 8, 8), 2, t274=[6]),
        "bits_of_one_sample": tiff(rgb.tobytes(), (8,), 1, t277=[3]),
    }
    return files


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    right = {}
    for kind, files in dict(bmp=bmps(), gif=gifs(), png=pngs(), webp=webps(), tiff=tiffs()).items():
        for name, data in files.items():
            name = f"{name}.{kind}"
            (here / name).write_bytes(data)
            try:
                pixels = ImageOps.exif_transpose(Image.open(here / name)).convert("RGB")
            except Exception as e:
                right[name] = {"refused": str(e).replace(str(here) + "/", "")}
                continue
            right[name] = {"pillow": {"width": pixels.width, "height": pixels.height, "sha256_rgb": hashlib.sha256(pixels.tobytes()).hexdigest()}}
    (here / "right.json").write_text(json.dumps(dict(sorted(right.items())), indent=1) + "\n")
