"""Draws the pictures that only browsers decode, and writes expected-browser.csv beside them, as make.py does.

    pip install Pillow==13.0.0 numpy pdqhash && python3 make_browser.py
"""

import numpy as np
from make import Image, image, lens, save, write_rows

WIDTH, HEIGHT = 144, 108
picture = image(7, WIDTH, HEIGHT)
transparent = picture.copy()
transparent.putalpha(Image.fromarray(lens().astype(np.uint8)).resize((WIDTH, HEIGHT)))
turned = Image.Exif()
turned[0x0112] = 6

save("avif-420.avif", picture, quality=80, subsampling="4:2:0")
save("avif-444.avif", picture, quality=100, subsampling="4:4:4")
save("avif-grey.avif", picture.convert("L"), quality=80, subsampling="4:0:0")
save("avif-alpha.avif", transparent, quality=90)
# Stored upright, with a property that turns it.
save("avif-turned.avif", picture, quality=80, exif=turned)
frames = [image(seed, WIDTH, HEIGHT) for seed in range(20)]
save("avif-animated.avif", frames[0], append_images=frames[1:], save_all=True, duration=50, quality=40)
write_rows("expected-browser.csv")
