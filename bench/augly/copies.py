"""Makes edited copies of photographs by AugLy, Meta's library of edits, for `hashgate eval FOLDER --copies OUT`.

    python copies.py FOLDER OUT --half tune|report [--limit 300] [--seed 1]

Nobody of this project wrote these edits. A photograph belongs to one of two halves by the SHA-256 of its file name.
Views are chosen on the half `tune`. The half `report` is looked at once per release.

Writes OUT/originals/NAME.png and OUT/copies/EDIT/NAME.jpg, and a line for each copy that AugLy couldn't make.
"""

import argparse
import hashlib
import random
from multiprocessing import Pool
from pathlib import Path

import numpy

numpy.float = float  # AugLy 1.0.0 uses the alias that NumPy 1.24 took away

import augly.image as edit  # noqa: E402
import augly.utils  # noqa: E402
from PIL import Image, ImageFilter  # noqa: E402

ASSETS = Path(augly.utils.SCREENSHOT_TEMPLATES_DIR)
EMOJIS = sorted(Path(augly.utils.EMOJI_DIR).rglob("*.png"))
FONTS = [font for font in sorted(Path(augly.utils.FONTS_DIR).glob("*.ttf")) if "Raleway" in font.name or "NotoSans" in font.name]
WORDS = "look at this now why not share it with all your friends today before they take it down again".split()


def words(chance, least, most):
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(least, most)))


def template(name, picture, **more):
    return edit.overlay_onto_screenshot(picture, template_filepath=str(ASSETS / name), **more)


def emoji(picture, chance, least, most, **place):
    at = place or {"x_pos": chance.uniform(0.05, 0.75), "y_pos": chance.uniform(0.05, 0.75)}
    return edit.overlay_emoji(picture, emoji_path=str(chance.choice(EMOJIS)), emoji_size=chance.uniform(least, most), **at)


def text(picture, chance, least, most, count):
    colour = tuple(chance.randint(0, 255) for _ in range(3))
    letters = [chance.randint(1, 500) for _ in range(chance.randint(*count))]
    return edit.overlay_text(
        picture, text=letters, font_size=chance.uniform(least, most), color=colour,
        x_pos=chance.uniform(0, 0.5), y_pos=chance.uniform(0.1, 0.8),
    )


def meme(picture, chance, least, most):
    height = int(picture.height * chance.uniform(least, most))
    colours = chance.choice([((0, 0, 0), (255, 255, 255)), ((255, 255, 255), (0, 0, 0)), ((20, 20, 60), (250, 220, 120))])
    return edit.meme_format(
        picture, text=words(chance, 2, 6), caption_height=max(height, 40), text_color=colours[0], meme_bg_color=colours[1]
    )


def on_background(picture, other, chance, least, most):
    share = chance.uniform(least, most)
    room = 1 - share
    return edit.overlay_onto_background_image(
        picture, other.resize((max(picture.width, 300), max(picture.height, 300))), overlay_size=share,
        x_pos=chance.uniform(0.1, 0.9) * room, y_pos=chance.uniform(0.1, 0.9) * room,
    )


def on_blurred_self(picture, width, height):
    """As apps repost a picture in another shape: the picture, on itself, enlarged and blurred."""
    side = max(picture.width, picture.height)
    canvas = (int(side * width), int(side * height))
    ground = edit.blur(picture.resize(canvas), radius=side / 40)
    ratio = min(canvas[0] / picture.width, canvas[1] / picture.height)
    inner = picture.resize((int(picture.width * ratio), int(picture.height * ratio)))
    ground.paste(inner, ((canvas[0] - inner.width) // 2, (canvas[1] - inner.height) // 2))
    return ground


def collage(picture, other, chance, across):
    """Two pictures side by side or one above the other; AugLy has no collages."""
    other = other.resize((int(other.width * picture.height / other.height), picture.height)) if across else other.resize(
        (picture.width, int(other.height * picture.width / other.width)))
    pair = [picture, other] if chance.random() < 0.5 else [other, picture]
    if across:
        canvas = Image.new("RGB", (pair[0].width + pair[1].width, picture.height))
        canvas.paste(pair[0], (0, 0)), canvas.paste(pair[1], (pair[0].width, 0))
    else:
        canvas = Image.new("RGB", (picture.width, pair[0].height + pair[1].height))
        canvas.paste(pair[0], (0, 0)), canvas.paste(pair[1], (0, pair[0].height))
    return canvas


def crop(picture, share):
    return edit.crop(picture, x1=share, y1=share, x2=1 - share, y2=1 - share)


def random_crop(picture, chance, least, most):
    left, top, right, bottom = (chance.uniform(least, most) for _ in range(4))
    return edit.crop(picture, x1=left, y1=top, x2=1 - right, y2=1 - bottom)


def signed(chance, least, most):
    return chance.choice([-1, 1]) * chance.uniform(least, most)


def inset(picture, other, chance, least, most):
    share = chance.uniform(least, most)
    return edit.overlay_image(
        picture, other, overlay_size=share, max_visible_opacity=1.0,
        x_pos=chance.uniform(0, 0.6), y_pos=chance.uniform(0, 1 - share),
    )


# The edits: the level, and a function of the picture, another picture, and random numbers.
EDITS = {
    "emoji-default": ("default", lambda p, o, c: edit.overlay_emoji(p)),
    "emoji-mild": ("mild", lambda p, o, c: emoji(p, c, 0.08, 0.12)),
    "emoji-corner": ("strong", lambda p, o, c: emoji(p, c, 0.2, 0.3, x_pos=c.choice([0.0, 0.75]), y_pos=c.choice([0.0, 0.7]))),
    "emoji-strong": ("strong", lambda p, o, c: emoji(p, c, 0.3, 0.4)),
    "text-default": ("default", lambda p, o, c: edit.overlay_text(p)),
    "text-mild": ("mild", lambda p, o, c: text(p, c, 0.04, 0.08, (5, 12))),
    "text-strong": ("strong", lambda p, o, c: text(p, c, 0.15, 0.25, (4, 8))),
    "stripes-default": ("default", lambda p, o, c: edit.overlay_stripes(p)),
    "stripes-mild": ("mild", lambda p, o, c: edit.overlay_stripes(
        p, line_width=c.uniform(0.05, 0.15), line_angle=c.uniform(-90, 90), line_density=c.uniform(0.2, 0.4),
        line_opacity=c.uniform(0.4, 0.8), line_color=tuple(c.randint(0, 255) for _ in range(3)))),
    "meme-default": ("default", lambda p, o, c: edit.meme_format(p)),
    "meme-mild": ("mild", lambda p, o, c: meme(p, c, 0.12, 0.25)),
    "meme-mid": ("mid", lambda p, o, c: meme(p, c, 0.3, 0.6)),
    "screenshot-default": ("default", lambda p, o, c: edit.overlay_onto_screenshot(p)),
    "screenshot-mobile": ("strong", lambda p, o, c: template("mobile.png", p)),
    "screenshot-cropped": ("strong", lambda p, o, c: edit.overlay_onto_screenshot(p, crop_src_to_fit=True)),
    "background-mild": ("mild", lambda p, o, c: on_background(p, o, c, 0.65, 0.85)),
    "background-strong": ("strong", lambda p, o, c: on_background(p, o, c, 0.45, 0.65)),
    "blurred-self-square": ("strong", lambda p, o, c: on_blurred_self(p, 1, 1)),
    "blurred-self-tall": ("strong", lambda p, o, c: on_blurred_self(p, 0.5625, 1)),
    "inset-mild": ("mild", lambda p, o, c: inset(p, o, c, 0.15, 0.25)),
    "inset-strong": ("strong", lambda p, o, c: inset(p, o, c, 0.3, 0.4)),
    "collage-side": ("strong", lambda p, o, c: collage(p, o, c, True)),
    "collage-down": ("strong", lambda p, o, c: collage(p, o, c, False)),
    "pad-default": ("default", lambda p, o, c: edit.pad(p)),
    "pad-mild": ("mild", lambda p, o, c: edit.pad(
        p, w_factor=c.uniform(0, 0.12), h_factor=c.uniform(0, 0.12), color=tuple(c.randint(0, 255) for _ in range(3)))),
    "pad-square": ("mid", lambda p, o, c: edit.pad_square(p, color=tuple(c.randint(0, 255) for _ in range(3)))),
    "crop-default": ("default", lambda p, o, c: edit.crop(p)),
    "crop-3": ("strong", lambda p, o, c: crop(p, 0.03)),
    "crop-5": ("strong", lambda p, o, c: crop(p, 0.05)),
    "crop-8": ("strong", lambda p, o, c: crop(p, 0.08)),
    "crop-mild": ("mild", lambda p, o, c: random_crop(p, c, 0, 0.08)),
    "crop-mid": ("mid", lambda p, o, c: random_crop(p, c, 0.02, 0.15)),
    "crop-strong": ("strong", lambda p, o, c: random_crop(p, c, 0.1, 0.25)),
    "aspect-default": ("default", lambda p, o, c: edit.change_aspect_ratio(p)),
    "aspect-strong": ("strong", lambda p, o, c: edit.change_aspect_ratio(p, ratio=c.choice([0.5, 2.0]))),
    "scale-default": ("default", lambda p, o, c: edit.scale(p)),
    "scale-strong": ("strong", lambda p, o, c: edit.scale(p, factor=c.uniform(0.2, 0.3))),
    "rotate-default": ("default", lambda p, o, c: edit.rotate(p)),
    "rotate-mild": ("mild", lambda p, o, c: edit.rotate(p, degrees=signed(c, 1, 3))),
    "rotate-mid": ("mid", lambda p, o, c: edit.rotate(p, degrees=signed(c, 3, 5))),
    "rotate-strong": ("strong", lambda p, o, c: edit.rotate(p, degrees=signed(c, 5, 10))),
    "rotate-90": ("strong", lambda p, o, c: p.rotate(90, expand=True)),
    "hflip": ("mild", lambda p, o, c: edit.hflip(p)),
    "vflip": ("strong", lambda p, o, c: edit.vflip(p)),
    "perspective-default": ("default", lambda p, o, c: edit.perspective_transform(p, seed=c.randint(0, 9999))),
    "perspective-mild": ("mild", lambda p, o, c: edit.perspective_transform(p, sigma=10, seed=c.randint(0, 9999))),
    "skew-default": ("default", lambda p, o, c: edit.skew(p)),
    "skew-mild": ("mild", lambda p, o, c: edit.skew(p, skew_factor=signed(c, 0.03, 0.1), axis=c.choice([0, 1]))),
    "blur-default": ("default", lambda p, o, c: edit.blur(p)),
    "blur-strong": ("strong", lambda p, o, c: edit.blur(p, radius=c.uniform(5, 11))),
    "brightness-strong": ("strong", lambda p, o, c: edit.brightness(p, factor=c.choice([0.4, 1.8]))),
    "contrast-strong": ("strong", lambda p, o, c: edit.contrast(p, factor=c.choice([0.4, 1.8]))),
    "jitter-mild": ("mild", lambda p, o, c: edit.color_jitter(
        p, brightness_factor=c.uniform(0.8, 1.2), contrast_factor=c.uniform(0.8, 1.2), saturation_factor=c.uniform(0.7, 1.3))),
    "jitter-strong": ("strong", lambda p, o, c: edit.color_jitter(
        p, brightness_factor=c.choice([0.6, 1.5]), contrast_factor=c.choice([0.6, 1.5]), saturation_factor=c.choice([0.3, 2.0]))),
    "saturation-strong": ("strong", lambda p, o, c: edit.saturation(p, factor=c.uniform(2, 4))),
    "grayscale-default": ("default", lambda p, o, c: edit.grayscale(p)),
    "sharpen-strong": ("strong", lambda p, o, c: edit.sharpen(p, factor=c.uniform(5, 15))),
    "edges-default": ("default", lambda p, o, c: edit.apply_pil_filter(p)),
    "noise-default": ("default", lambda p, o, c: edit.random_noise(p, seed=c.randint(0, 9999))),
    "noise-strong": ("strong", lambda p, o, c: edit.random_noise(p, var=0.1, seed=c.randint(0, 9999))),
    "pixelize-mild": ("mild", lambda p, o, c: edit.pixelization(p, ratio=c.uniform(0.4, 0.7))),
    "pixelize-strong": ("strong", lambda p, o, c: edit.pixelization(p, ratio=c.uniform(0.15, 0.3))),
    "shuffle-mild": ("mild", lambda p, o, c: edit.shuffle_pixels(p, factor=c.uniform(0.05, 0.1), seed=c.randint(0, 9999))),
    "quality-default": ("default", lambda p, o, c: edit.encoding_quality(p)),
    "quality-strong": ("strong", lambda p, o, c: edit.encoding_quality(p, quality=c.randint(5, 15))),
    "opacity-png": ("mid", lambda p, o, c: edit.opacity(p, level=c.uniform(0.5, 0.8))),
    "masked-composite": ("mid", lambda p, o, c: masked(p, c)),
}

MILD = ["jitter-mild", "text-mild", "emoji-mild", "crop-mild", "rotate-mild", "pad-mild", "meme-mild", "hflip", "pixelize-mild"]
FULL = ["screenshot-default", "meme-mid", "pad-default", "background-mild", "crop-mid", "emoji-default", "jitter-strong",
        "quality-strong", "blur-strong", "text-strong", "rotate-mid", "aspect-strong", "hflip", "collage-side"]


def masked(picture, chance):
    """One half or the middle of the picture is blurred, brightened, or covered by stripes, the rest isn't."""
    mask = Image.new("L", picture.size)
    width, height = picture.size
    left, top = chance.randint(0, width // 2), chance.randint(0, height // 2)
    mask.paste(255, (left, top, left + width // 2, top + height // 2))
    changed = chance.choice([
        lambda p: edit.blur(p, radius=8), lambda p: edit.brightness(p, factor=1.7), lambda p: edit.overlay_stripes(p),
        lambda p: edit.apply_pil_filter(p, filter_type=ImageFilter.CONTOUR), lambda p: edit.grayscale(p),
    ])
    return edit.masked_composite(picture, mask=mask, transform_function=changed)


def chain(names, count):
    def apply(picture, other, chance):
        for name in chance.sample(names, count):
            picture = EDITS[name][1](picture, other, chance).convert("RGB")
        return picture
    return apply


EDITS |= {
    "chain-2-mild": ("mild", chain(MILD, 2)), "chain-3-mild": ("mild", chain(MILD, 3)),
    "chain-2": ("chain", chain(FULL, 2)), "chain-3": ("chain", chain(FULL, 3)),
}


def half_of(path):
    return "report" if hashlib.sha256(path.name.encode()).digest()[0] & 1 else "tune"


def one(job):
    path, other, out, seed, only = job
    picture, beside = (Image.open(file).convert("RGB") for file in (path, other))
    (out / "originals").mkdir(parents=True, exist_ok=True)
    picture.save(out / "originals" / f"{path.stem}.png", compress_level=1)
    lines = []
    for name in only or EDITS:
        chance = random.Random(f"{seed} {name} {path.name}")
        (out / "copies" / name).mkdir(parents=True, exist_ok=True)
        try:
            copy = EDITS[name][1](picture, beside, chance)
        except Exception as error:  # AugLy fails on some fonts and sizes
            lines.append(f"{name} of {path.name}: not made: {error}")
            continue
        if copy.mode == "RGBA":
            copy.save(out / "copies" / name / f"{path.stem}.png", compress_level=1)
        else:
            copy.convert("RGB").save(out / "copies" / name / f"{path.stem}.jpg", quality=90)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--half", choices=["tune", "report"], required=True)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edit", action="append", help="make this edit alone; may be given several times")
    options = parser.parse_args()
    kinds = {".jpg", ".jpeg", ".png", ".webp"}
    files = sorted(file for file in options.folder.rglob("*") if file.suffix.lower() in kinds)
    mine = [file for file in files if half_of(file) == options.half]
    random.Random(options.seed).shuffle(mine)
    mine = mine[: options.limit]
    if len(mine) < 2:
        parser.error(f"{options.folder}: expected at least 2 pictures of the half {options.half}, got {len(mine)}")
    jobs = [(file, mine[index - 1], options.out, options.seed, options.edit) for index, file in enumerate(mine)]
    with Pool() as pool:
        for done, lines in enumerate(pool.imap_unordered(one, jobs), 1):
            for line in lines:
                print(line)
            if done % 20 == 0:
                print(f"{done} of {len(jobs)} photographs", flush=True)
    levels = sorted({level for level, _ in EDITS.values()})
    (options.out / "levels.txt").write_text("".join(
        f"{level}: {' '.join(name for name, (at, _) in EDITS.items() if at == level)}\n" for level in levels))


if __name__ == "__main__":
    main()
