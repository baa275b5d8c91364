"""Draws the JPEG XL pictures, and writes expected-jxl.csv beside them, as make.py does.

    pip install Pillow==13.0.0 pillow-jxl-plugin==1.3.8 imagecodecs==2026.3.6 numpy pdqhash && python3 make_jxl.py

libjxl reads the files back, through the plug-in or imagecodecs. cjxl 0.7 (Debian's libjxl-tools) writes what Python packages can't.
"""

import subprocess
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401, teaches Pillow JPEG XL
from make import HERE, Image, expect, image, lens, png, save, surfaces, waves, write_rows

WIDTH, HEIGHT = 144, 108
picture = image(7, WIDTH, HEIGHT)
alpha = Image.fromarray(lens().astype(np.uint8)).resize((WIDTH, HEIGHT))
transparent = picture.copy()
transparent.putalpha(alpha)
grey_transparent = picture.convert("L")
grey_transparent.putalpha(alpha)
turned = Image.Exif()
turned[0x0112] = 6


def cjxl(name, written, *options, suffix=".png", **save_options):
    """Writes a file by cjxl from what Pillow writes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"source{suffix}"
        written.save(source, **save_options)
        subprocess.run(["cjxl", source, HERE / name, *options], check=True, capture_output=True)


def expect_first(name):
    with Image.open(HERE / name) as shown:
        expect(name, [surfaces(shown.convert("RGB"))])


save("jxl.jxl", picture, quality=90)
save("jxl-container.jxl", picture, quality=90, exif=turned.tobytes(), use_container=True)
save("jxl-lossless.jxl", picture, lossless=True)
save("jxl-grey.jxl", picture.convert("L"), quality=90)
save("jxl-grey-alpha.jxl", grey_transparent, lossless=True)
save("jxl-alpha.jxl", transparent, quality=90)

deep = (waves(7, WIDTH, HEIGHT) >> 6).astype(np.uint16) << 6
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "source.png").write_bytes(png(deep, 2, 16))
    subprocess.run(["cjxl", Path(folder) / "source.png", HERE / "jxl-16.jxl", "-d", "0"], check=True, capture_output=True)
# imagecodecs calls 16 bits linear light, which is a colour profile far from common ones.
(HERE / "jxl-linear.jxl").write_bytes(imagecodecs.jpegxl_encode(deep[..., 0], lossless=True, effort=7))
for name, samples in {"jxl-16.jxl": deep, "jxl-linear.jxl": deep[..., 0]}.items():
    read = imagecodecs.jpegxl_decode((HERE / name).read_bytes())
    assert read.dtype == np.uint16 and (read == samples).all()
    expect(name, [surfaces(Image.fromarray((read >> 8).astype(np.uint8)).convert("RGB"))])

# A JPEG's own terms. The header turns the picture; the expected picture is the one that is stored.
cjxl("jxl-turned.jxl", picture, "--lossless_jpeg=1", suffix=".jpg", quality=90, exif=turned)
with Image.open(HERE / "jxl-turned.jxl") as shown:
    stored = shown.convert("RGB")
    if stored.size != picture.size:
        stored = stored.transpose(Image.Transpose.ROTATE_90)
    expect("jxl-turned.jxl", [surfaces(stored)])

# The first frame is read. The plug-in shows the last one, so the expected picture is the one that was drawn.
frames = [image(seed, WIDTH, HEIGHT) for seed in (7, 8, 9)]
cjxl("jxl-animated.jxl", frames[0], "-d", "1", suffix=".png", save_all=True, append_images=frames[1:], duration=100)
expect("jxl-animated.jxl", [surfaces(frames[0])])

# Several groups of pixels; in passes; and a modular file whose groups share a squeeze.
large = image(7, 1200, 960)
save("jxl-large.jxl", large, quality=60)
cjxl("jxl-progressive.jxl", image(7, 600, 480), "-p", "-d", "3")
expect_first("jxl-progressive.jxl")
cjxl("jxl-squeeze.jxl", image(7, 300, 240), "-m", "1", "-R", "1", "-d", "4")
expect_first("jxl-squeeze.jxl")
write_rows("expected-jxl.csv")
