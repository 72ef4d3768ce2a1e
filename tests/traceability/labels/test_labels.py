"""QR labels, read back by an independent reader (zxing-cpp)."""

from __future__ import annotations

import io
import random
import re
import xml.etree.ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from traceability.gs1 import Gs1Error, Identifier, WrongCheckDigit, check_digit
from traceability.labels import (
    X_DIMENSION_MM_MAX,
    X_DIMENSION_MM_MIN,
    ErrorCorrection,
    LabelError,
    SizeOutOfRange,
    TooMuchData,
    qr_png,
    qr_svg,
    qr_terminal,
)
from traceability.labels.symbol import make_symbol, module_pixels

pytestmark = pytest.mark.feature("T4")

URI = "https://id.tally.example/01/09506000134369/10/LOT-7/21/S-0001?17=261231"
SVG = "{http://www.w3.org/2000/svg}"


def _read(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(
        image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode, try_invert=False
    )
    return [code.text for code in found]


def _png(uri: str = URI, **options: object) -> Image.Image:
    return Image.open(io.BytesIO(qr_png(uri, **options)))  # type: ignore[arg-type]


def _drawn(svg: str, pixels: int = 4) -> Image.Image:
    """Draw the rectangles of the SVG's path with nothing but Pillow."""
    root = ET.fromstring(svg)
    _, _, width, height = (float(number) for number in root.attrib["viewBox"].split())
    image = Image.new("L", (round(width * pixels), round(height * pixels)), 255)
    path = root.find(f"{SVG}path")
    assert path is not None
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1H\1z", path.attrib["d"]):
        box = [
            int(x) * pixels,
            int(y) * pixels,
            (int(x) + int(run)) * pixels,
            (int(y) + 1) * pixels,
        ]
        image.paste(0, (box[0], box[1], box[2], box[3]))
    return image


@pytest.mark.parametrize("level", list(ErrorCorrection))
def test_reader_reads_png_and_svg_at_every_level(level: ErrorCorrection) -> None:
    assert _read(_png(error_correction=level)) == [URI]
    assert _read(_drawn(qr_svg(URI, error_correction=level))) == [URI]


@settings(max_examples=30)
@given(
    st.text("0123456789", min_size=13, max_size=13),
    st.text(st.characters(min_codepoint=33, max_codepoint=122), min_size=1, max_size=20),
    st.booleans(),
)
def test_reader_reads_any_serialised_item(digits: str, serial: str, png: bool) -> None:
    wanted = "".join(c for c in serial if c not in "#$@[]\\^`") or "0"
    identifier = Identifier("01", digits + check_digit(digits), (("21", wanted),))
    uri = identifier.digital_link("https://brand.example/x")
    image = _png(uri, dpi=203) if png else _drawn(qr_svg(uri))
    assert _read(image) == [uri]


@pytest.mark.parametrize("angle", [7, 45, 90, 133, 180, 271])
def test_reader_reads_it_turned(angle: int) -> None:
    turned = _png().rotate(angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    assert _read(turned) == [URI]


def test_reader_reads_it_small_blurred_skewed_and_noisy() -> None:
    image = _png(dpi=600)
    small = image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS)
    assert _read(small) == [URI]
    assert _read(image.filter(ImageFilter.GaussianBlur(5))) == [URI]
    w, h = image.size
    skewed = image.transform(
        (w, h), Image.Transform.QUAD, (-20, -35, 10, h + 20, w + 30, h - 5, w - 5, -10),
        fillcolor=255,
    )  # fmt: skip
    assert _read(skewed) == [URI]
    noise = random.Random(7)
    noisy = image.copy()
    for _ in range(w * h // 50):
        noisy.putpixel((noise.randrange(w), noise.randrange(h)), noise.choice([0, 255]))
    assert _read(noisy) == [URI]


def test_reader_reads_it_with_a_stain_that_the_error_correction_covers() -> None:
    image = _png(error_correction=ErrorCorrection.H, text=())
    side = image.width // 6
    middle = image.width // 2
    image.paste(
        255, (middle - side // 2, middle - side // 2, middle + side // 2, middle + side // 2)
    )
    assert _read(image) == [URI]


def test_quiet_zone_is_four_white_modules_all_around() -> None:
    pixels = module_pixels(0.495, 300)
    image = _png(text=())
    zone = 4 * pixels  # GS1 General Specifications and ISO/IEC 18004
    inner = (zone, zone, image.width - zone, image.height - zone)
    blank = image.convert("L")
    blank.paste(255, inner)
    assert blank.getextrema() == (255, 255)
    cropped = image.convert("L").crop(inner)
    assert {cropped.getpixel((0, 0)), cropped.getpixel((cropped.width - 1, 0))} == {0}


@pytest.mark.parametrize("dpi", [203, 300, 600, 1200])
@pytest.mark.parametrize("wanted", [X_DIMENSION_MM_MIN, 0.495, 0.7, X_DIMENSION_MM_MAX])
def test_printed_module_is_within_the_allowed_range_at_any_resolution(
    dpi: int, wanted: float
) -> None:
    image = _png(text=(), dpi=dpi, x_dimension_mm=wanted)
    modules = make_symbol(URI).size
    assert image.width % modules == 0
    printed_mm = image.width / modules * 25.4 / dpi
    assert X_DIMENSION_MM_MIN - 1e-9 <= printed_mm <= X_DIMENSION_MM_MAX + 1e-9
    assert abs(printed_mm - wanted) <= 25.4 / dpi
    assert round(image.info["dpi"][0]) == dpi


def test_svg_has_its_true_size_in_millimetres() -> None:
    root = ET.fromstring(qr_svg(URI, x_dimension_mm=0.5, text=()))
    modules = make_symbol(URI).size
    assert root.attrib["width"] == root.attrib["height"] == f"{modules * 0.5:.3f}mm"
    assert root.attrib["viewBox"] == f"0 0 {modules} {modules}"


def test_human_readable_text_names_every_key_of_the_item() -> None:
    texts = [element.text for element in ET.fromstring(qr_svg(URI)).iter(f"{SVG}text")]
    assert texts == ["(01) 09506000134369", "(10) LOT-7", "(21) S-0001"]
    with_text, without = _png(), _png(text=())
    below = with_text.convert("L").crop((0, without.height, with_text.width, with_text.height))
    assert below.height > 0
    assert below.getextrema()[0] < 128


def test_text_is_escaped_and_never_wider_than_the_label() -> None:
    long = 'A&B<"' + "W" * 60
    lines = list(ET.fromstring(qr_svg(URI, text=[long])).iter(f"{SVG}text"))
    assert "".join(line.text or "" for line in lines) == long
    for line in lines:
        width = float(line.attrib["font-size"]) * 0.6 * len(line.text or "")
        assert width <= make_symbol(URI).size - 2
    image = _png(text=[long]).convert("L")
    for edge in (0, image.width - 2):
        assert image.crop((edge, 0, edge + 2, image.height)).getextrema() == (255, 255)
    with pytest.raises(TooMuchData, match="lines"):
        qr_svg(URI, text=["x" * 5000])


@pytest.mark.parametrize("size", [0.395, 0.991, 0, -1, float("nan"), float("inf")])
def test_sizes_outside_the_general_specifications_are_refused(size: float) -> None:
    with pytest.raises(SizeOutOfRange, match=r"0\.396"):
        qr_svg(URI, x_dimension_mm=size)
    with pytest.raises(SizeOutOfRange):
        qr_png(URI, x_dimension_mm=size)


@pytest.mark.parametrize("dpi", [0, 71, 2401, -300])
def test_resolutions_out_of_reason_are_refused(dpi: int) -> None:
    with pytest.raises(SizeOutOfRange, match="dpi"):
        qr_png(URI, dpi=dpi)


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("https://id.tally.example/01/09506000134368", WrongCheckDigit),
        ("https://id.tally.example/about", Gs1Error),
        ("urn:epc:id:sgtin:4012345.011111.1", Gs1Error),
        ("https://id.tally.example/01/09506000134369?x=" + "1" * 500, TooMuchData),
    ],
)
def test_what_is_no_digital_link_gets_no_label(uri: str, error: type[Exception]) -> None:
    for draw in (qr_svg, qr_png, qr_terminal):
        with pytest.raises(error):
            draw(uri)
    assert issubclass(TooMuchData, LabelError)


@pytest.mark.parametrize("colour", [True, False])
def test_reader_reads_what_the_terminal_shows(colour: bool) -> None:
    shown = re.sub("\x1b\\[[0-9;]*m", "", qr_terminal(URI, colour=colour)).splitlines()
    pixels = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
    image = Image.new("L", (len(shown[0]), 2 * len(shown)))
    for row, line in enumerate(shown):
        for column, block in enumerate(line):
            for half, filled in enumerate(pixels[block]):
                image.putpixel((column, 2 * row + half), 0 if filled == colour else 255)
    assert len({len(line) for line in shown}) == 1
    assert set(shown[0]) == ({" "} if colour else {"█"}), "the quiet zone must be the light one"
    assert _read(image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)) == [
        URI
    ]
