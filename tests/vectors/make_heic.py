"""Draws the HEIC pictures, and writes expected-heic.csv beside them, as make.py does.

    pip install Pillow==13.0.0 pillow-heif==1.8.1 numpy pdqhash && python3 make_heic.py

pillow-heif reads the files back by libde265, a decoder that shares no code with heic-rs.
"""

import numpy as np
import pillow_heif
from make import HERE, Image, expect, image, lens, save, surfaces, waves, write_rows

pillow_heif.register_heif_opener()
WIDTH, HEIGHT = 144, 108
picture = image(7, WIDTH, HEIGHT)
transparent = picture.copy()
transparent.putalpha(Image.fromarray(lens().astype(np.uint8)).resize((WIDTH, HEIGHT)))
turned = Image.Exif()
turned[0x0112] = 6

save("heic.heic", picture, quality=80)
save("heic-422.heic", picture, quality=80, chroma=422)
save("heic-444.heic", picture, quality=80, chroma=444)
save("heic-grey.heic", picture.convert("L"), quality=80)
save("heic-alpha.heic", transparent, quality=90)
# Green, blue and red instead of luma and chroma.
save("heic-lossless.heic", picture, quality=-1, chroma=444, matrix_coefficients=0)
# Colours as most films have them.
save("heic-709.heic", picture, quality=80, matrix_coefficients=1, full_range_flag=0)

# Stored upright, with a property that turns it. Pillow shows it turned; the expected picture is the one that is stored.
file = pillow_heif.from_pillow(picture)
file[0].info["exif"] = turned.tobytes()
file.save(HERE / "heic-turned.heic", quality=80)
with Image.open(HERE / "heic-turned.heic") as shown:
    expect("heic-turned.heic", [surfaces(shown.convert("RGB").transpose(Image.Transpose.ROTATE_90))])

deep = (waves(7, WIDTH, HEIGHT) >> 6).astype(np.uint16) << 6
file = pillow_heif.from_bytes(mode="RGB;16", size=(WIDTH, HEIGHT), data=deep.tobytes())
file.save(HERE / "heic-10.heic", quality=80)
with Image.open(HERE / "heic-10.heic") as shown:
    expect("heic-10.heic", [surfaces(shown.convert("RGB"))])

# Large enough for luma alone. Saturated colours, so that some don't fit into RGB.
save("heic-large.heic", image(7, 1200, 960), quality=50)
save("heic-large-709.heic", image(7, 1200, 960), quality=50, matrix_coefficients=1, full_range_flag=0)
write_rows("expected-heic.csv")
