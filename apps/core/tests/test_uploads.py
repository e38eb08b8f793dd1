import contextlib
import io
import random

import pytest
from PIL import Image

from apps.core.errors import TooLarge
from apps.core.uploads import NotAPicture, accept_image, storage_name, thumbnail

MEGABYTE = 2**20


def picture(kind="JPEG", size=(800, 600), mode="RGB", exif=None):
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, format=kind, **({"exif": exif} if exif else {}))
    return io.BytesIO(out.getvalue())


def with_place():
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (41.0, 18.0, 0.0), 3: "E", 4: (69.0, 15.0, 36.0)}
    return picture(exif=exif)


@pytest.mark.parametrize(
    ("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_picture_keeps_its_format(kind, content_type):
    clean = accept_image(picture(kind), max_bytes=MEGABYTE)
    assert (clean.content_type, clean.width, clean.height) == (content_type, 800, 600)


def test_the_place_is_read_and_the_metadata_is_gone():
    clean = accept_image(with_place(), max_bytes=MEGABYTE)
    assert clean.gps == (41.3, 69.26)
    assert b"SecretCamera" not in clean.content
    assert not Image.open(io.BytesIO(clean.content)).getexif()


def test_a_large_side_is_scaled_down():
    clean = accept_image(picture(size=(5000, 1000)), max_bytes=MEGABYTE, max_side=1000)
    assert (clean.width, clean.height) == (1000, 200)
    small = thumbnail(clean, side=100)
    assert (small.width, small.height) == (100, 20)


def test_reading_stops_at_the_limit():
    class Endless:
        served = 0

        def read(self, size):
            self.served += size
            return b"x" * size

    source = Endless()
    with pytest.raises(TooLarge) as caught:
        accept_image(source, max_bytes=MEGABYTE)
    assert caught.value.status == 413
    assert source.served <= MEGABYTE + 64 * 1024


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff\xe0" + b"0" * 100, b"%PDF-1.4"],
)
def test_what_does_not_decode_is_refused(content):
    with pytest.raises(NotAPicture) as caught:
        accept_image(io.BytesIO(content), max_bytes=MEGABYTE)
    assert (caught.value.status, caught.value.code) == (422, "not_a_picture")


def test_a_real_picture_of_another_format_is_refused():
    with pytest.raises(NotAPicture):
        accept_image(picture("PNG"), max_bytes=MEGABYTE, formats=("JPEG",))


def test_a_half_uploaded_picture_is_refused():
    with pytest.raises(NotAPicture):
        accept_image(io.BytesIO(picture().getvalue()[:2000]), max_bytes=MEGABYTE)


def test_a_bomb_is_refused_before_it_unpacks():
    with pytest.raises(NotAPicture):
        accept_image(picture("PNG", size=(9000, 9000), mode="1"), max_bytes=MEGABYTE)


def test_names_are_unguessable_and_never_the_clients():
    clean = accept_image(picture(), max_bytes=MEGABYTE)
    assert storage_name("p", clean) != storage_name("p", clean)
    assert storage_name("p", clean).endswith(".jpg")


def test_the_double_picture_of_a_phone_is_a_jpeg():
    out = io.BytesIO()
    second = Image.new("RGB", (20, 15), "blue")
    Image.new("RGB", (40, 30), "red").save(out, format="MPO", save_all=True, append_images=[second])
    clean = accept_image(io.BytesIO(out.getvalue()), max_bytes=MEGABYTE)
    assert (clean.content_type, clean.extension, clean.width, clean.height) == ("image/jpeg", "jpg", 40, 30)


def test_a_comment_does_not_travel_along():
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, format="JPEG", comment=b"at home, +998901234567")
    assert b"998901234567" not in accept_image(io.BytesIO(out.getvalue()), max_bytes=MEGABYTE).content


@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_a_picture_is_set_upright(orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    clean = accept_image(picture(size=(40, 30), exif=exif), max_bytes=MEGABYTE)
    assert (clean.width, clean.height) == size


@pytest.mark.parametrize("header", [b"M\x1d\x00*", b"MM\x00\xdf", b"rubb"])
def test_a_picture_with_a_damaged_exif_block_is_still_a_picture(header):
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = picture("WEBP", exif=exif).getvalue().replace(b"MM\x00*", header).replace(b"II*\x00", header)
    assert accept_image(io.BytesIO(raw), max_bytes=MEGABYTE).gps is None


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_bytes_are_a_picture_or_a_refusal(kind):
    whole, dice = bytearray(with_place_as(kind)), random.Random(7)
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            raw[dice.randrange(min(len(raw), 300))] = dice.randrange(256)
        with contextlib.suppress(NotAPicture):
            accept_image(io.BytesIO(bytes(raw)), max_bytes=MEGABYTE)


def with_place_as(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (41.0, 18.0, 0.0), 3: "E", 4: (69.0, 15.0, 36.0)}
    return picture(kind, size=(40, 30), exif=exif).getvalue()


@pytest.mark.parametrize("mode", ["I;16", "L", "LA", "P", "RGBA"])
def test_every_kind_of_png_can_be_scaled_down(mode):
    clean = accept_image(picture("PNG", size=(3000, 20), mode=mode), max_bytes=MEGABYTE)
    assert (clean.width, clean.content_type) == (2560, "image/png")
    assert thumbnail(clean, side=320).width == 320


def test_greys_of_sixteen_bits_keep_their_shade():
    out = io.BytesIO()
    Image.new("I;16", (3000, 20), 32_896).save(out, format="PNG")
    clean = accept_image(io.BytesIO(out.getvalue()), max_bytes=MEGABYTE)
    assert Image.open(io.BytesIO(clean.content)).convert("L").getpixel((5, 5)) == 128
