"""Draws everyday pictures that aren't photographs: pages, screens, charts, logos, and photographs in one template.

    python everyday.py OUT [--count 60] [--photographs FOLDER] [--seed 1]

Writes OUT/KIND/NNN.png. Pictures of one kind resemble each other as those that people upload do: a screenshot of one
program, a form, memes of one template with different photographs. `everyday.mjs` beside this file lists one half of each
kind, and counts how many of the other half match.
"""

import argparse
import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = ["DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"]
WORDS = ("the of to and a in is it you that he was for on are with as his they be at one have this from or had by "
         "market river winter letter garden table number window picture answer office minister paper harbour").split()


def font(size):
    for name in FONT:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    raise SystemExit("expected the font DejaVuSans.ttf; on Debian: apt-get install fonts-dejavu-core")


def words(chance, count):
    return " ".join(chance.choice(WORDS) for _ in range(count))


def colour(chance, low=0, high=255):
    return tuple(chance.randint(low, high) for _ in range(3))


def canvas(width, height, ground="white"):
    picture = Image.new("RGB", (width, height), ground)
    return picture, ImageDraw.Draw(picture)


def document(chance, _, lines=(25, 40)):
    picture, draw = canvas(850, 1100)
    draw.text((80, 70), words(chance, 4).title(), fill="black", font=font(26))
    y = 130
    for _ in range(chance.randint(*lines)):
        if chance.random() < 0.15:
            y += 20
        draw.text((80, y), words(chance, chance.randint(6, 11)), fill="black", font=font(15))
        y += 23
    return picture


def sparse_document(chance, _):
    return document(chance, _, (3, 8))


def letter(chance, _):
    picture, draw = canvas(850, 1100)
    draw.multiline_text((80, 80), "\n".join(words(chance, 3).title() for _ in range(4)), fill="black", font=font(15))
    draw.text((620, 200), f"{chance.randint(1, 28)} May {chance.randint(2000, 2030)}", fill="black", font=font(15))
    y = 300
    for _ in range(chance.randint(4, 14)):
        draw.text((80, y), words(chance, chance.randint(7, 11)), fill="black", font=font(15))
        y += 23
    draw.text((80, y + 40), words(chance, 2).title(), fill="black", font=font(15))
    return picture


def form(chance, _):
    picture, draw = canvas(850, 1100)
    draw.text((80, 60), "Application for a permit", fill="black", font=font(24))
    for row in range(14):
        draw.text((80, 140 + row * 60), f"{row + 1}. Name of the applicant", fill="black", font=font(13))
        draw.rectangle((330, 132 + row * 60, 770, 168 + row * 60), outline="black")
        draw.text((340, 140 + row * 60), words(chance, chance.randint(0, 4)), fill=(30, 30, 120), font=font(15))
    return picture


def receipt(chance, _):
    picture, draw = canvas(400, chance.randint(600, 1000))
    draw.text((110, 20), words(chance, 2).upper(), fill="black", font=font(22))
    for y in range(80, picture.height - 120, 26):
        draw.text((20, y), words(chance, 2), fill="black", font=font(14))
        draw.text((320, y), f"{chance.uniform(1, 99):.2f}", fill="black", font=font(14))
    draw.text((20, picture.height - 80), f"TOTAL {chance.uniform(50, 500):.2f}", fill="black", font=font(22))
    return picture


def slide(chance, _):
    picture, draw = canvas(1280, 720)
    draw.rectangle((0, 0, 1280, 110), fill=(20, 60, 120))
    draw.text((50, 30), words(chance, 4).title(), fill="white", font=font(40))
    for row in range(chance.randint(2, 5)):
        draw.text((80, 170 + row * 90), "• " + words(chance, chance.randint(3, 8)), fill="black", font=font(28))
    return picture


def sheet(chance, _):
    picture, draw = canvas(1200, 800)
    for x in range(0, 1200, 120):
        draw.line((x, 0, x, 800), fill=(200, 200, 200))
    for y in range(0, 800, 26):
        draw.line((0, y, 1200, y), fill=(200, 200, 200))
    for column in range(10):
        for row in range(30):
            if chance.random() < 0.6:
                draw.text((column * 120 + 6, row * 26 + 5), str(chance.randint(0, 99999)), fill="black", font=font(13))
    return picture


def code(chance, _):
    picture, draw = canvas(1200, 800, (30, 30, 36))
    depth = 0
    for row in range(34):
        depth = max(0, min(5, depth + chance.choice([-1, 0, 0, 1])))
        draw.text((50 + depth * 32, 15 + row * 23), words(chance, chance.randint(1, 7)), fill=colour(chance, 130, 250), font=font(15))
    return picture


def chat(chance, _):
    picture, draw = canvas(540, 960, (236, 229, 221))
    draw.rectangle((0, 0, 540, 70), fill=(7, 94, 84))
    draw.text((80, 22), words(chance, 2).title(), fill="white", font=font(22))
    y = 90
    while y < 860:
        mine, lines = chance.random() < 0.5, chance.randint(1, 4)
        left = 150 if mine else 20
        draw.rounded_rectangle((left, y, left + 360, y + 24 * lines + 18), 10, fill=(220, 248, 198) if mine else "white")
        for line in range(lines):
            draw.text((left + 12, y + 8 + 24 * line), words(chance, chance.randint(2, 5)), fill="black", font=font(16))
        y += 24 * lines + 34
    return picture


def settings(chance, _):
    picture, draw = canvas(540, 960, (245, 245, 247))
    draw.text((20, 30), "Settings", fill="black", font=font(32))
    for row in range(11):
        y = 100 + row * 76
        draw.rounded_rectangle((15, y, 525, y + 66), 12, fill="white")
        draw.rounded_rectangle((30, y + 15, 66, y + 51), 8, fill=colour(chance, 40, 230))
        draw.text((85, y + 22), words(chance, 2), fill="black", font=font(18))
        on = chance.random() < 0.5
        draw.rounded_rectangle((450, y + 18, 505, y + 48), 15, fill=(52, 199, 89) if on else (220, 220, 224))
    return picture


def web_page(chance, _):
    picture, draw = canvas(1280, 900)
    draw.rectangle((0, 0, 1280, 64), fill=colour(chance, 20, 90))
    draw.text((40, 18), words(chance, 1).title(), fill="white", font=font(24))
    draw.rectangle((40, 100, 860, 420), fill=colour(chance, 120, 220))
    for row in range(14):
        draw.text((40, 450 + row * 28), words(chance, chance.randint(8, 13)), fill="black", font=font(15))
    for row in range(5):
        draw.rectangle((900, 100 + row * 150, 1240, 230 + row * 150), fill=colour(chance, 170, 240))
        draw.text((915, 115 + row * 150), words(chance, 3), fill="black", font=font(16))
    return picture


def text_on_colour(chance, _):
    picture, draw = canvas(1080, 1080, colour(chance))
    for row in range(chance.randint(1, 3)):
        draw.text((90, 420 + row * 90), words(chance, chance.randint(2, 4)), fill="white", font=font(64))
    return picture


def logo(chance, _):
    picture, draw = canvas(600, 600)
    centre = 300
    for _ in range(chance.randint(1, 3)):
        size, at, ink = chance.randint(80, 220), chance.randint(-60, 60), colour(chance, 0, 200)
        box = (centre - size + at, centre - size - at, centre + size + at, centre + size - at)
        chance.choice([
            lambda: draw.ellipse(box, fill=ink), lambda: draw.rectangle(box, fill=ink),
            lambda: draw.pieslice(box, chance.randint(0, 180), chance.randint(200, 360), fill=ink),
            lambda: draw.regular_polygon((centre + at, centre - at, size), chance.randint(3, 8), fill=ink),
        ])()
    return picture


def chart(chance, _):
    picture, draw = canvas(900, 600)
    draw.line((80, 40, 80, 540, 860, 540), fill="black", width=2)
    draw.text((300, 10), words(chance, 3).title(), fill="black", font=font(20))
    if chance.random() < 0.5:
        count = chance.randint(4, 10)
        for bar in range(count):
            x, wide = 100 + bar * 740 // count, 500 // count
            draw.rectangle((x, 540 - chance.randint(20, 480), x + wide, 540), fill=(31, 119, 180))
    else:
        for _ in range(chance.randint(1, 4)):
            level, points = chance.randint(150, 450), []
            for x in range(80, 860, 26):
                level = max(60, min(530, level + chance.randint(-50, 50)))
                points.append((x, level))
            draw.line(points, fill=colour(chance, 0, 200), width=3)
    return picture


def map_of_tiles(chance, _):
    picture, draw = canvas(900, 700, (240, 236, 228))
    for _ in range(30):
        x, y, angle = chance.randint(0, 900), chance.randint(0, 700), chance.uniform(0, math.pi)
        draw.line((x - 900 * math.cos(angle), y - 900 * math.sin(angle), x + 900 * math.cos(angle), y + 900 * math.sin(angle)),
                  fill="white", width=chance.randint(4, 12))
    return picture


def place_code(chance, _):
    """Squares as in a QR code, with its three corner marks."""
    picture, draw = canvas(580, 580)
    for row in range(29):
        for column in range(29):
            corner = (row < 8 or row > 20) and column < 8 or row < 8 and column > 20
            if not corner and chance.random() < 0.5:
                draw.rectangle((column * 20, row * 20, column * 20 + 19, row * 20 + 19), fill="black")
    for x, y in ((0, 0), (440, 0), (0, 440)):
        draw.rectangle((x, y, x + 139, y + 139), fill="black")
        draw.rectangle((x + 20, y + 20, x + 119, y + 119), fill="white")
        draw.rectangle((x + 40, y + 40, x + 99, y + 99), fill="black")
    return picture


def in_meme(chance, photographs):
    photograph = Image.open(photographs.pop()).convert("RGB").resize((800, 600))
    picture, draw = canvas(800, 760)
    draw.text((40, 40), "WHEN YOU SEE IT", fill="black", font=font(64))
    picture.paste(photograph, (0, 160))
    return picture


def in_page(chance, photographs):
    """A post in the page of a network: everything but the photograph is the same."""
    photograph = Image.open(photographs.pop()).convert("RGB").resize((600, 400))
    picture, draw = canvas(1280, 800, (240, 242, 245))
    draw.rectangle((0, 0, 1280, 60), fill="white")
    draw.ellipse((20, 10, 60, 50), fill=(24, 119, 242))
    draw.rounded_rectangle((340, 90, 940, 770), 12, fill="white")
    draw.text((360, 110), "A post in a page", fill="black", font=font(22))
    for row in range(8):
        draw.ellipse((30, 100 + row * 70, 74, 144 + row * 70), fill=(200, 205, 212))
        draw.rectangle((90, 112 + row * 70, 260, 132 + row * 70), fill=(214, 218, 224))
        draw.rectangle((1000, 100 + row * 80, 1240, 160 + row * 80), fill=(228, 230, 235))
    picture.paste(photograph, (340, 160))
    draw.rectangle((360, 600, 900, 620), fill=(214, 218, 224))
    return picture


def in_telephone(chance, photographs):
    photograph = Image.open(photographs.pop()).convert("RGB").resize((540, 405))
    picture, draw = canvas(540, 1170, "black")
    draw.text((20, 10), f"{chance.randint(10, 23)}:{chance.randint(10, 59)}", fill="white", font=font(20))
    draw.text((20, 60), words(chance, 2), fill="white", font=font(24))
    picture.paste(photograph, (0, 380))
    draw.text((20, 820), words(chance, 6), fill="white", font=font(18))
    return picture


DRAWN = {
    "document": document, "sparse-document": sparse_document, "letter": letter, "form": form, "receipt": receipt,
    "slide": slide, "sheet": sheet, "code": code, "chat": chat, "settings": settings, "web-page": web_page,
    "text-on-colour": text_on_colour, "logo": logo, "chart": chart, "map": map_of_tiles, "qr-code": place_code,
}
TEMPLATES = {"meme-template": in_meme, "page-template": in_page, "phone-template": in_telephone}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--photographs", type=Path, help="folder of photographs for the templates")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    photographs = []
    if options.photographs:
        kinds = {".jpg", ".jpeg", ".png", ".webp"}
        photographs = sorted(file for file in options.photographs.rglob("*") if file.suffix.lower() in kinds)
        random.Random(options.seed).shuffle(photographs)
        needed = options.count * len(TEMPLATES)
        if len(photographs) < needed:
            parser.error(f"--photographs: expected at least {needed}, got {len(photographs)}")
    for kind, draw in (DRAWN | (TEMPLATES if photographs else {})).items():
        folder = options.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(options.count):
            draw(random.Random(f"{options.seed} {kind} {number}"), photographs).save(folder / f"{number:03}.png", compress_level=1)


if __name__ == "__main__":
    main()
