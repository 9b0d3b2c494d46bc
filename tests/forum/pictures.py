"""Small pictures of three by two pixels, one in each format, without metadata."""

import base64
import struct
import zlib

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAEklEQVR4AWI6Y2z8H4aZGJAAAAAA///qnsSoAAAABklEQVQDAH+1BpjuJVuv"
    "AAAAAElFTkSuQmCC"
)
JPEG = base64.b64decode(
    "/9j/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////2wBDAVVaWnhp"
    "eOuCguv/////////////////////////////////////////////////////////////////////////wAARCAACAAMDASIAAhEBAxEB/8QA"
    "FQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAgP/xAAUEQEAAAAAAAAAAAAA"
    "AAAAAAAA/9oADAMBAAIRAxEAPwCABXf/2Q=="
)
GIF = b"GIF89a\x03\0\x02\0\x80\0\0\xcc3\x33\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x03\0\x02\0\0\x02\x03\x84Q\x05\0;"
WEBP = base64.b64decode(
    "UklGRkIAAABXRUJQVlA4WAoAAAAAAAAAAgAAAQAAVlA4ICQAAABwAQCdASoDAAIAB0CWJaACdAFAAAD+2ibFwyGI/JL1J+VgiAA="
)
BY_FORMAT = {"png": PNG, "jpg": JPEG, "gif": GIF, "webp": WEBP}
SECRET = b"taken at 52.5N 13.4E"


def png_part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def telling() -> dict[str, bytes]:
    """Return the pictures with SECRET in each place where their formats keep what people wrote, and behind the end."""
    exif = b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(SECRET)) + b"Exif\0\0" + SECRET
    remark = b"\xff\xfe" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    png = PNG[:33] + png_part(b"eXIf", SECRET) + png_part(b"tEXt", b"Place\0" + SECRET) + PNG[33:]
    gif_remark = b"!\xfe" + bytes([len(SECRET)]) + SECRET + b"\0"
    gif_xmp = b"!\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0"
    webp = WEBP[12:] + b"EXIF" + struct.pack("<I", len(SECRET)) + SECRET + b"XMP " + struct.pack("<I", 20) + SECRET
    webp = webp[:8] + b"\x0c" + webp[9:]  # the flags that announce Exif and XMP
    return {
        "png": png + SECRET,
        "jpg": JPEG[:2] + exif + remark + JPEG[2:] + SECRET,
        "gif": GIF[:19] + gif_remark + gif_xmp + GIF[19:] + SECRET,
        "webp": b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp + SECRET,
    }
