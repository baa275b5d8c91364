"""Draws the pictures in this folder and writes expected.csv beside them.

Pillow reads each picture back and the Python package pdqhash (Meta's reference) hashes what it
read, so the figures don't come from this project. Where Pillow doesn't do what docs/reference/decoding.md
says, the expected picture is composed here instead; those places say why.

    pip install Pillow==13.0.0 numpy pdqhash && python3 make.py
"""

import csv
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pdqhash
from PIL import Image, ImageDraw

warnings.simplefilter("ignore", DeprecationWarning)
HERE = Path(__file__).parent
W, H = 72, 54
ROWS = []


def waves(seed, width=W, height=H):
    """A smooth coloured picture with something at every scale that PDQ looks at."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(14):
            across, down = rng.uniform(0.5, 9, 2)
            wave = np.sin(2 * np.pi * (across * x / width + down * y / height + rng.uniform()))
            picture[..., channel] += wave / (0.5 + np.hypot(across, down))
    low, high = picture.min(), picture.max()
    return np.round((picture - low) / (high - low) * 65535).astype(np.uint16)


def image(seed, width=W, height=H):
    return Image.fromarray((waves(seed, width, height) >> 8).astype(np.uint8))


def lens(depth=8):
    """Alpha: opaque in the middle, transparent at the edge."""
    y, x = np.mgrid[0:H, 0:W]
    alpha = 1 - np.clip(((x - W / 2) / (W / 2)) ** 2 + ((y - H / 2) / (H / 2)) ** 2, 0, 1)
    return np.round(alpha * (2**depth - 1)).astype(np.uint16)


def over_white(picture):
    picture = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
    return white


def surfaces(picture):
    found = {"plain": picture.convert("RGB")}
    if picture.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        found["over-white"] = over_white(picture)
    return found


def expect(name, frames):
    """Notes what each frame should look like: a list of {surface: RGB picture}."""
    for index, frame in enumerate(frames):
        for surface, picture in frame.items():
            bits, quality = pdqhash.compute(np.asarray(picture))
            pdq = np.packbits(bits).tobytes().hex()
            ROWS.append((name, len(frames), index, surface, picture.width, picture.height, pdq, quality))


def expect_as_pillow_reads(name):
    with Image.open(HERE / name) as picture:
        frames = []
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            frames.append(surfaces(picture.copy()))
    expect(name, frames)


def save(name, picture, **options):
    picture.save(HERE / name, **options)
    expect_as_pillow_reads(name)


# PNG ------------------------------------------------------------------------------------------

ADAM7 = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_rows(samples, depth):
    rows = b""
    for row in samples.reshape(len(samples), -1):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        else:
            bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
            packed = np.packbits(bits.reshape(-1)).tobytes()
        rows += b"\0" + packed
    return rows


def png(samples, colour, depth, interlaced=False, before_data=b""):
    """A PNG of samples[height, width, channels], of any kind, unlike Pillow."""
    height, width = samples.shape[:2]
    if interlaced:
        passes = [samples[y::down, x::across] for x, across, y, down in ADAM7]
        data = b"".join(png_rows(part, depth) for part in passes if part.size)
    else:
        data = png_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before_data
        + png_chunk(b"IDAT", zlib.compress(data, 9))
        + png_chunk(b"IEND", b"")
    )


def make_png():
    rgb16 = waves(1)
    grey16 = rgb16[..., 1:2]
    alpha16 = lens(16)[..., None]
    kinds = {
        "rgb": (2, rgb16),
        "rgba": (6, np.concatenate([rgb16, alpha16], 2)),
        "grey": (0, grey16),
        "grey-alpha": (4, np.concatenate([grey16, alpha16], 2)),
    }
    for kind, (colour, samples) in kinds.items():
        for depth in (8, 16):
            for interlaced in (False, True):
                name = f"png-{kind}-{depth}{'-adam7' if interlaced else ''}.png"
                (HERE / name).write_bytes(png(samples >> (16 - depth), colour, depth, interlaced))
                if kind == "grey" and depth == 16:
                    # Pillow clips 16-bit grey at 255, so that it turns white. Here, as for every
                    # other kind of 16 bits, the high byte counts.
                    expect(name, [surfaces(Image.fromarray((grey16[..., 0] >> 8).astype(np.uint8)))])
                else:
                    expect_as_pillow_reads(name)
    for depth in (1, 2, 4):
        for interlaced in (False, True):
            name = f"png-grey-{depth}{'-adam7' if interlaced else ''}.png"
            (HERE / name).write_bytes(png(grey16 >> (16 - depth), 0, depth, interlaced))
            expect_as_pillow_reads(name)
    for depth in (1, 2, 4, 8):
        quantized = image(1).quantize(2**depth)
        palette = bytes(quantized.getpalette())[: 3 * 2**depth]
        indices = np.asarray(quantized).astype(np.uint16)[..., None]
        name = f"png-palette-{depth}.png"
        (HERE / name).write_bytes(png(indices, 3, depth, False, png_chunk(b"PLTE", palette)))
        expect_as_pillow_reads(name)
        transparent = bytes([255] * int(indices[30, 30, 0]) + [0])
        before = png_chunk(b"PLTE", palette) + png_chunk(b"tRNS", transparent)
        name = f"png-palette-{depth}-transparent.png"
        (HERE / name).write_bytes(png(indices, 3, depth, depth == 4, before))
        expect_as_pillow_reads(name)
    save("png-palette-opaque-alpha.png", image(1).quantize(16), transparency=bytes([255] * 16))
    opaque = image(1)
    opaque.putalpha(255)
    save("png-rgba-opaque.png", opaque)
    save("png-rgb-transparent.png", image(1), transparency=image(1).getpixel((30, 30)))
    grey = image(1).convert("L")
    save("png-grey-transparent.png", grey, transparency=grey.getpixel((30, 30)))
    orientation = Image.Exif()
    orientation[0x0112] = 6
    save("png-exif-orientation.png", image(1), exif=orientation)


# JPEG -----------------------------------------------------------------------------------------


def make_jpeg():
    picture = image(2)
    cmyk = picture.convert("CMYK")
    for name, mode, options in [
        ("444", picture, {"subsampling": "4:4:4"}),
        ("422", picture, {"subsampling": "4:2:2"}),
        ("420", picture, {"subsampling": "4:2:0"}),
        ("411", picture, {"subsampling": "4:1:1"}),
        ("progressive", picture, {"progressive": True}),
        ("restarts", picture, {"restart_marker_blocks": 2}),
        ("grey", picture.convert("L"), {}),
        ("grey-progressive", picture.convert("L"), {"progressive": True}),
        ("rgb", picture, {"keep_rgb": True}),
        ("cmyk", cmyk, {}),
        ("cmyk-progressive", cmyk, {"progressive": True}),
    ]:
        save(f"jpeg-{name}.jpg", mode, quality=85, **options)
    orientation = Image.Exif()
    orientation[0x0112] = 6
    save("jpeg-exif-orientation.jpg", picture, quality=85, exif=orientation)
    # Photoshop's CMYK is YCCK: the same file with the Adobe transform of that name, its first
    # three components being luma and chroma of the inverted inks.
    inks = np.asarray(cmyk).astype(int)
    luma = Image.fromarray((255 - inks[..., :3]).astype(np.uint8)).convert("YCbCr")
    merged = np.concatenate([255 - np.asarray(luma).astype(int), inks[..., 3:]], 2).astype(np.uint8)
    path = HERE / "jpeg-ycck.jpg"
    Image.fromarray(merged, "CMYK").save(path, quality=85)
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    path.write_bytes(data)
    expect_as_pillow_reads(path.name)
    # The same without a word on inversion.
    data = (HERE / "jpeg-cmyk.jpg").read_bytes()
    start = data.index(b"\xff\xee")
    path = HERE / "jpeg-cmyk-without-adobe.jpg"
    path.write_bytes(data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4]) :])
    expect_as_pillow_reads(path.name)
    # RGB as Photoshop writes it: by the Adobe transform, not by the components' names.
    data = bytearray((HERE / "jpeg-rgb.jpg").read_bytes())
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    for index in range(3):
        data[frame + 10 + 3 * index] = index + 1
        data[scan + 5 + 2 * index] = index + 1
    path = HERE / "jpeg-rgb-by-adobe.jpg"
    path.write_bytes(data)
    expect_as_pillow_reads(path.name)


# GIF ------------------------------------------------------------------------------------------


def balls(index, width=W, height=H):
    """A drawing with transparent ground, in another place for each index."""
    picture = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((6 + 8 * index, 4 + 5 * index, 36 + 8 * index, 32 + 4 * index), fill=(250, 40 * index, 90, 255))
    draw.rectangle((4 * index, 42, 30 + 4 * index, 53), fill=(20, 200, 40 * index, 255))
    draw.line((0, 0, W, H - 10 * index), fill=(0, 90, 200, 255), width=5)
    return picture


def make_gif():
    picture = image(3).quantize(64)
    save("gif.gif", picture, interlace=0)
    save("gif-interlaced.gif", picture, interlace=1)
    save("gif-grey.gif", image(3).convert("L"), interlace=0)
    save("gif-transparent.gif", picture, transparency=int(np.asarray(picture)[30, 30]))
    frames = [image(seed).quantize(32) for seed in range(4)]
    drawn = [balls(index) for index in range(5)]
    every = {"save_all": True, "duration": 50}
    save("gif-animated.gif", frames[0], append_images=frames[1:], **every)
    save("gif-animated-keep.gif", drawn[0], append_images=drawn[1:], disposal=1, **every)
    save("gif-animated-background.gif", drawn[0], append_images=drawn[1:], disposal=2, **every)
    ground = image(3)
    save("gif-animated-previous.gif", ground, append_images=drawn[1:], disposal=[1, 3, 3, 3, 3], **every)
    # One frame that leaves a margin: Pillow shows colour 0 there, browsers the page behind it.
    inner = image(3, 44, 36).quantize(64)
    inner.save(HERE / "gif-margin.gif", interlace=0)
    data = bytearray((HERE / "gif-margin.gif").read_bytes())
    data[6:10] = struct.pack("<HH", W, H)
    at = data.index(b"\x2c\0\0\0\0")
    data[at + 1 : at + 5] = struct.pack("<HH", 20, 10)
    (HERE / "gif-margin.gif").write_bytes(data)
    plain = Image.open(HERE / "gif-margin.gif").convert("RGB")
    white = Image.new("RGB", (W, H), "white")
    white.paste(plain.crop((20, 10, 64, 46)), (20, 10))
    expect("gif-margin.gif", [{"plain": plain, "over-white": white}])


# WebP, APNG -----------------------------------------------------------------------------------


def make_webp():
    picture = image(4)
    transparent = picture.copy()
    transparent.putalpha(Image.fromarray(lens().astype(np.uint8)))
    opaque = picture.copy()
    opaque.putalpha(255)
    save("webp-lossy.webp", picture, quality=80)
    save("webp-lossless.webp", picture, lossless=True)
    save("webp-lossy-alpha.webp", transparent, quality=80)
    save("webp-lossless-alpha.webp", transparent, lossless=True, exact=True)
    save("webp-lossless-opaque.webp", opaque, lossless=True)
    orientation = Image.Exif()
    orientation[0x0112] = 6
    save("webp-exif-orientation.webp", picture, quality=80, exif=orientation)
    drawn = [balls(index) for index in range(4)]
    frames = [image(seed) for seed in range(4)]
    every = {"save_all": True, "duration": 50}
    save("webp-animated.webp", frames[0], append_images=frames[1:], quality=60, **every)
    save("webp-animated-alpha.webp", drawn[0], append_images=drawn[1:], lossless=True, **every)
    save("webp-animated-mixed.webp", frames[0], append_images=drawn[1:], allow_mixed=True, **every)


def make_apng():
    drawn = [balls(index) for index in range(4)]
    frames = [image(seed).quantize(32).convert("RGB") for seed in range(3)]
    every = {"save_all": True, "duration": 50}
    save("apng.png", frames[0], append_images=frames[1:], **every)
    save("apng-background.png", drawn[0], append_images=drawn[1:], disposal=1, blend=0, **every)
    # A picture for programs that know no APNG, then the animation: all are looked at.
    save("apng-default.png", frames[2], append_images=frames[:2], default_image=True, **every)
    # Pillow blends by pasting with a mask, which thins out the alpha that was there, and its writer
    # loses pixels. So this file is written here, and expected as the specification says, which
    # is alpha_composite.
    ground = frames[0].convert("RGBA")
    soft = [picture.copy() for picture in drawn[1:]]
    for picture in soft:
        picture.putalpha(picture.getchannel("A").point(lambda alpha: alpha * 2 // 3))
    (HERE / "apng-previous.png").write_bytes(apng_with_previous(ground, soft))
    expect("apng-previous.png", [surfaces(ground)] + [surfaces(Image.alpha_composite(ground, p)) for p in soft])


def apng_with_previous(ground, frames):
    """An APNG that blends each frame over the ground and takes it away again."""
    chunks = []
    for index, frame in enumerate([ground, *frames]):
        keep_or_previous = 0 if index == 0 else 2
        control = struct.pack(">IIIIIHHBB", max(2 * index - 1, 0), W, H, 0, 0, 1, 20, keep_or_previous, 1)
        data = zlib.compress(png_rows(np.asarray(frame).astype(np.uint16), 8), 9)
        chunks.append(png_chunk(b"fcTL", control))
        if index == 0:
            chunks.append(png_chunk(b"IDAT", data))
        else:
            chunks.append(png_chunk(b"fdAT", struct.pack(">I", 2 * index) + data))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 6, 0, 0, 0))
    animation = png_chunk(b"acTL", struct.pack(">II", len(frames) + 1, 0))
    return b"\x89PNG\r\n\x1a\n" + header + animation + b"".join(chunks) + png_chunk(b"IEND", b"")


# BMP ------------------------------------------------------------------------------------------


def bmp(header, body, palette=b""):
    offset = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset) + header + palette + body


def bmp_info(bits, compression=0, height=H, length=40, rest=b"", colours=0):
    return struct.pack("<IiiHHIIiiII", length, W, height, 1, bits, compression, 0, 0, 0, colours, 0) + rest


def write_bmp(name, data):
    (HERE / name).write_bytes(data)
    expect_as_pillow_reads(name)


def make_bmp():
    rgb = np.asarray(image(5)).astype(np.uint32)
    bgr = rgb[::-1, :, ::-1].astype(np.uint8)
    save("bmp-24.bmp", image(5))
    save("bmp-8.bmp", image(5).quantize(64))
    save("bmp-1.bmp", image(5).convert("1"))
    write_bmp("bmp-24-top-down.bmp", bmp(bmp_info(24, height=-H), bgr[::-1].tobytes()))
    core = struct.pack("<IHHHH", 12, W, H, 1, 24)
    write_bmp("bmp-24-core.bmp", bmp(core, bgr.tobytes()))
    padded = np.concatenate([bgr, np.zeros((H, W, 1), np.uint8)], 2)
    write_bmp("bmp-32.bmp", bmp(bmp_info(32), padded.tobytes()))
    quantized = image(5).quantize(16)
    palette = b"".join(bytes([*reversed(colour), 0]) for colour in np.array(quantized.getpalette()).reshape(-1, 3)[:16].tolist())
    indices = np.asarray(quantized)[::-1]
    nibbles = (indices[:, 0::2] << 4 | indices[:, 1::2]).astype(np.uint8)
    write_bmp("bmp-4.bmp", bmp(bmp_info(4, colours=16), nibbles.tobytes(), palette))
    runs = b""
    for row in indices:
        at = 0
        while at < W:
            run = 1
            while at + run < W and run < 255 and row[at + run] == row[at]:
                run += 1
            runs += bytes([run, row[at]])
            at += run
        runs += b"\0\0"
    write_bmp("bmp-rle8.bmp", bmp(bmp_info(8, 1, colours=16), runs + b"\0\1", palette))
    # Runs of 4 bits, stretches without runs, and a jump over what stays the first colour.
    runs = b""
    for y, row in enumerate(indices):
        if y == 20:
            runs += bytes([0, 2, 10, 3])
        if 20 <= y < 23:
            continue
        runs += bytes([12, row[0] << 4 | row[1]]) if y != 23 else b""
        start = 12 if y != 23 else 10
        packed = bytes(a << 4 | b for a, b in zip(row[start:start + 50:2], row[start + 1:start + 50:2]))
        runs += bytes([0, 50]) + packed + b"\0" * (len(packed) % 2) + bytes([W - start - 50, row[W - 1] * 17]) + b"\0\0"
    write_bmp("bmp-rle4.bmp", bmp(bmp_info(4, 2, colours=16), runs + b"\0\1", palette))
    fives = (rgb[::-1] >> 3).transpose(2, 0, 1)
    write_bmp("bmp-555.bmp", bmp(bmp_info(16), (fives[0] << 10 | fives[1] << 5 | fives[2]).astype("<u2").tobytes()))
    red, green, blue = (rgb[::-1] >> np.array([3, 2, 3])).transpose(2, 0, 1)
    sixteen = (red << 11 | green << 5 | blue).astype("<u2").tobytes()
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    write_bmp("bmp-565.bmp", bmp(bmp_info(16, 3), sixteen, masks))
    alpha = lens().astype(np.uint32)[::-1, :, None].astype(np.uint8)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    rest = masks + b"\0" * (124 - 40 - 16)
    write_bmp("bmp-32-alpha.bmp", bmp(bmp_info(32, 3, length=124, rest=rest), np.concatenate([bgr, alpha], 2).tobytes()))


# TIFF -----------------------------------------------------------------------------------------


def make_tiff():
    picture = image(6)
    transparent = picture.copy()
    transparent.putalpha(Image.fromarray(lens().astype(np.uint8)))
    save("tiff-rgb.tif", picture, compression="tiff_deflate", tiffinfo={278: 10})
    save("tiff-grey.tif", picture.convert("L"), compression="tiff_lzw")
    save("tiff-rgba.tif", transparent, compression="tiff_deflate")
    save("tiff-grey-alpha.tif", transparent.convert("LA"), compression="tiff_deflate")
    save("tiff-cmyk.tif", picture.convert("CMYK"), compression="tiff_deflate")
    save("tiff-1.tif", picture.convert("1"), compression="group4")
    save("tiff-jpeg.tif", picture, compression="jpeg", quality=90)
    save("tiff-pages.tif", image(0), save_all=True, append_images=[image(1), image(2)], compression="tiff_deflate")
    rgb16 = waves(6)
    rgb = (rgb16 >> 8).astype(np.uint8)
    grey = rgb[..., 1]
    planes = [rgb[..., channel].tobytes() for channel in range(3)]
    write_tiff("tiff-planar.tif", 2, 8, 3, {278: [H]}, planes, {284: [2]})
    write_tiff("tiff-white-is-zero.tif", 0, 8, 1, {278: [H]}, [grey.tobytes()])
    write_tiff("tiff-rgb-16.tif", 2, 16, 3, {278: [H]}, [rgb16.astype("<u2").tobytes()])
    nibbles = (grey[:, 0::2] & 0xF0 | grey[:, 1::2] >> 4).astype(np.uint8)
    write_tiff("tiff-grey-4.tif", 1, 4, 1, {278: [20]}, [nibbles[y : y + 20].tobytes() for y in range(0, H, 20)])
    tiles = []
    for y in range(0, H, 16):
        for x in range(0, W, 32):
            tile = np.zeros((16, 32, 3), np.uint8)
            part = rgb[y : y + 16, x : x + 32]
            tile[: part.shape[0], : part.shape[1]] = part
            tiles.append(tile.tobytes())
    write_tiff("tiff-tiles.tif", 2, 8, 3, {322: [32], 323: [16]}, tiles)


def write_tiff(name, photometric, bits, samples, chunk_size, chunks, more=None):
    """An uncompressed TIFF; Pillow writes neither tiles nor planes."""
    tiled = 322 in chunk_size
    offsets = [8 + sum(map(len, chunks[:index])) for index in range(len(chunks))]
    tags = {256: [W], 257: [H], 258: [bits] * samples, 259: [1], 262: [photometric], 277: [samples]}
    tags |= chunk_size | {324 if tiled else 273: offsets, 325 if tiled else 279: list(map(len, chunks))} | (more or {})
    body = b"".join(chunks)
    body += b"\0" * (len(body) % 2)
    directory_at = 8 + len(body)
    beyond_at = directory_at + 2 + 12 * len(tags) + 4
    directory, beyond = struct.pack("<H", len(tags)), b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) == 1:
            directory += struct.pack("<HHI", tag, 4, 1) + packed
        else:
            directory += struct.pack("<HHII", tag, 4, len(values), beyond_at + len(beyond))
            beyond += packed
    (HERE / name).write_bytes(struct.pack("<2sHI", b"II", 42, directory_at) + body + directory + b"\0\0\0\0" + beyond)
    expect_as_pillow_reads(name)


def write_rows(name):
    with (HERE / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "frames", "frame", "surface", "width", "height", "pdq", "quality"])
        writer.writerows(ROWS)


if __name__ == "__main__":
    for make in (make_png, make_jpeg, make_gif, make_webp, make_apng, make_bmp, make_tiff):
        make()
    write_rows("expected.csv")
