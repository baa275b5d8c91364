"""Draws 60 pages of text, 30 screenshots, 30 charts and 30 line drawings as PNGs: text_pages.py FOLDER [SEED]

Needs Pillow and the DejaVu fonts. Each picture is also written as JPEGs of quality 70, baseline and progressive, with
4:2:0 and 4:4:4 chroma. Each page of text has a soft copy, blurred and grey on grey like a photographed screen.
"""

import math
import os
import random
import sys

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZES = [(1080, 1350), (1080, 1920), (1200, 1600), (1440, 1920), (2160, 2880)]
FONTS = ["DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold", "DejaVuSerif-Italic"]


def font(name, size):
    for n in (name, "DejaVuSans"):
        try:
            return ImageFont.truetype(f"/usr/share/fonts/truetype/dejavu/{n}.ttf", size)
        except OSError:
            pass


def words(r, n):
    return " ".join(
        "".join(r.choice("etaoinshrdlucmfwypvbgk") for _ in range(r.choice([1, 2, 2, 3, 3, 4, 5, 6, 7, 9])))
        for _ in range(n)
    )


def text(r, size, dark):
    w, h = size
    bg, fg = (
        ((r.randint(0, 40),) * 3, (r.randint(200, 255),) * 3)
        if dark
        else ((r.randint(235, 255),) * 3, (r.randint(0, 60),) * 3)
    )
    im = Image.new("RGB", size, bg)
    d = ImageDraw.Draw(im)
    pt = r.randint(18, 40)
    f = font(r.choice(FONTS), pt)
    m = r.randint(30, 120)
    y = m
    while y < h - m:
        if r.random() < 0.12:
            y += pt
            if r.random() < 0.4:
                g = font("DejaVuSans-Bold", int(pt * 1.5))
                d.text((m, y), words(r, r.randint(1, 4)), fg, g)
                y += int(pt * 2.2)
            continue
        line = words(r, 40)
        while f.getlength(line) > w - 2 * m:
            line = line[:-3]
        if r.random() < 0.15:
            line = line[: len(line) * r.randint(2, 8) // 10]
        d.text((m, y), line, fg, f)
        y += int(pt * 1.35)
    return im


def screenshot(r, size, dark):
    w, h = size
    bg = (30, 30, 34) if dark else (245, 246, 248)
    im = Image.new("RGB", size, bg)
    d = ImageDraw.Draw(im)
    fg = (220, 220, 220) if dark else (30, 30, 40)
    d.rectangle((0, 0, w, r.randint(60, 120)), fill=tuple(r.randint(30, 220) for _ in range(3)))
    y = 140
    while y < h - 80:
        k = r.choice("bubble list image button table".split())
        hh = r.randint(50, 220)
        if k == "bubble":
            x = r.choice([40, w // 3])
            d.rounded_rectangle((x, y, x + w // 2, y + hh), 24, fill=tuple(r.randint(60, 230) for _ in range(3)))
            f = font("DejaVuSans", r.randint(20, 34))
            for i in range(max(1, hh // 44)):
                d.text((x + 24, y + 10 + i * 40), words(r, 6)[: int(w // 2 / 20)], fg, f)
        elif k == "list":
            f = font("DejaVuSans", r.randint(20, 34))
            for i in range(hh // 40):
                d.ellipse((40, y + i * 40 + 4, 70, y + i * 40 + 34), fill=tuple(r.randint(60, 230) for _ in range(3)))
                d.text((90, y + i * 40), words(r, r.randint(2, 9)), fg, f)
        elif k == "image":
            for i in range(0, w - 80, 8):
                d.rectangle(
                    (40 + i, y, 48 + i, y + hh), fill=tuple(int(127 + 100 * math.sin(i / 90 + c + y)) for c in range(3))
                )
        elif k == "button":
            d.rounded_rectangle((w // 4, y, 3 * w // 4, y + 60), 30, fill=tuple(r.randint(60, 230) for _ in range(3)))
            hh = 60
        else:
            f = font("DejaVuSansMono", r.randint(16, 24))
            for row in range(hh // 32):
                for col in range(5):
                    d.text((40 + col * (w // 5), y + row * 32), str(r.randint(0, 10**6)), fg, f)
                d.line((40, y + row * 32 + 30, w - 40, y + row * 32 + 30), fill=(128, 128, 128))
        y += hh + r.randint(16, 60)
    return im


def chart(r, size, dark):
    w, h = size
    im = Image.new("RGB", size, (20, 20, 24) if dark else (255, 255, 255))
    d = ImageDraw.Draw(im)
    fg = (230, 230, 230) if dark else (20, 20, 20)
    f = font("DejaVuSans", r.randint(18, 30))
    for i in range(10):
        y = 120 + i * (h - 240) // 9
        d.line((120, y, w - 60, y), fill=(128, 128, 128))
        d.text((30, y - 14), str(100 - 10 * i), fg, f)
    k = r.choice(["bars", "lines", "points"])
    n = r.randint(6, 40)
    if k == "bars":
        for i in range(n):
            x = 130 + i * (w - 200) // n
            t = r.randint(130, h - 140)
            d.rectangle((x, t, x + (w - 200) // n * 7 // 10, h - 120), fill=tuple(r.randint(30, 220) for _ in range(3)))
    elif k == "lines":
        for _ in range(r.randint(2, 6)):
            v = r.randint(200, h - 200)
            p = []
            for i in range(n * 4):
                v = min(max(v + r.randint(-40, 40), 130), h - 130)
                p.append((130 + i * (w - 200) // (n * 4), v))
            d.line(p, fill=tuple(r.randint(30, 220) for _ in range(3)), width=r.randint(2, 5))
    else:
        for _ in range(n * 30):
            x, y = r.gauss(w / 2, w / 7), r.gauss(h / 2, h / 7)
            c = r.randint(3, 9)
            d.ellipse((x - c, y - c, x + c, y + c), fill=tuple(r.randint(30, 220) for _ in range(3)))
    for i in range(8):
        d.text((130 + i * (w - 200) // 8, h - 100), words(r, 1), fg, f)
    d.text((w // 4, 40), words(r, 6), fg, font("DejaVuSans", 36))
    return im


def drawing(r, size, dark):
    w, h = size
    im = Image.new("RGB", size, (15, 15, 15) if dark else (252, 250, 245))
    d = ImageDraw.Draw(im)
    fg = (235, 235, 235) if dark else (15, 15, 15)
    for _ in range(r.randint(80, 300)):
        x, y = r.randint(0, w), r.randint(0, h)
        a = r.random() * 6.3
        p = []
        b = r.uniform(-0.2, 0.2)
        for _ in range(r.randint(8, 50)):
            p.append((x, y))
            a += b + r.uniform(-0.15, 0.15)
            x += 12 * math.cos(a)
            y += 12 * math.sin(a)
        d.line(p, fill=fg, width=r.randint(1, 6))
    for _ in range(r.randint(3, 25)):
        x, y, s = r.randint(0, w), r.randint(0, h), r.randint(40, 200)
        for i in range(0, s, r.randint(5, 12)):
            d.line((x + i, y, x + i - s // 3, y + s), fill=fg, width=2)
    return im


def save(im, path):
    im.save(f"{path}.png", compress_level=1)
    for kind, options in [("b", {}), ("p", {"progressive": True})]:
        for chroma, subsampling in [("420", 2), ("444", 0)]:
            im.save(f"{path}-{kind}{chroma}.jpg", quality=70, subsampling=subsampling, **options)


out = sys.argv[1]
os.makedirs(out, exist_ok=True)
r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
for name, make, count in [
    ("text", text, 60),
    ("screenshot", screenshot, 30),
    ("chart", chart, 30),
    ("drawing", drawing, 30),
]:
    for i in range(count):
        im = make(r, SIZES[i % 5], i // 5 % 2 == 1)
        save(im, f"{out}/{name}-{i:02}-{im.width}x{im.height}")
        if name == "text":
            soft = im.filter(ImageFilter.GaussianBlur(0.8)).point(lambda level: int(110 + 0.35 * (level - 128)))
            save(soft, f"{out}/soft-{name}-{i:02}-{im.width}x{im.height}")
