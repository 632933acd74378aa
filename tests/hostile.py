"""Files as damage or malice leaves them: cut, flipped, of other types, of absurd sizes."""

import io
import json
import os
import shutil
import struct
import zlib

from PIL import Image


HUGE = [0, -1, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")]
ODD = [None, True, "", "x" * 5000, [], {}, [[]], "../../etc/passwd", "\x00", "💥", *HUGE]
SPARSE_BYTES = 10 * 2**30


def damage_file(path, rng):
    """Does something to one file."""
    rng.choice(
        [cut, flip, noise, empty, remove, grow, become_directory, loop, edit_json, edit_header]
    )(path, rng)


def cut(path, rng):
    data = path.read_bytes()
    path.write_bytes(data[: rng.integers(len(data) + 1)])


def flip(path, rng):
    data = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 9)):
        if data:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    path.write_bytes(bytes(data))


def noise(path, rng):
    path.write_bytes(rng.bytes(rng.integers(2000)))


def empty(path, rng):
    path.write_bytes(b"")


def remove(path, rng):
    path.unlink()


def grow(path, rng):
    """The file seems to hold ten gigabytes more; the disk holds none of them."""
    os.truncate(path, path.stat().st_size + SPARSE_BYTES)


def become_directory(path, rng):
    path.unlink()
    path.mkdir()


def loop(path, rng):
    path.unlink()
    path.symlink_to(path)


def edit_json(path, rng):
    """Another value, another key, or a nest without end, somewhere in the JSON."""
    lines = path.read_bytes().decode(errors="replace").splitlines() or [""]
    row = rng.integers(len(lines)) if path.suffix == ".jsonl" else slice(None)
    text = lines[row] if path.suffix == ".jsonl" else "\n".join(lines)
    try:
        edited = json.dumps(edited_value(json.loads(text), rng))
    except ValueError:
        edited = "[" * 100_000
    if rng.random() < 0.05:
        edited = '{"a":' * 50_000
    if path.suffix == ".jsonl":
        lines[row] = edited
        edited = "\n".join(lines) + "\n"
    path.write_text(edited)


def edited_value(value, rng):
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = str(rng.choice(list(value)))
        if rng.random() < 0.15:
            return {name: kept for name, kept in value.items() if name != key}
        if rng.random() < 0.15:
            return value | {key + "s": value[key]}
        return value | {key: edited_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        index = rng.integers(len(value))
        return [*value[:index], edited_value(value[index], rng), *value[index + 1 :]]
    return ODD[rng.integers(len(ODD))]


def edit_header(path, rng):
    """Another shape, type or place of an array in a safetensors file."""
    data = path.read_bytes()
    try:
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + size])
        name = str(rng.choice(list(header)))
        entry = dict(header[name])
    except (ValueError, struct.error, UnicodeDecodeError, TypeError, MemoryError):
        return flip(path, rng)
    changes = [
        {"shape": [2**40]},
        {"shape": [2**62, 2**62]},
        {"shape": [-1]},
        {"shape": [0, *entry.get("shape", [])]},
        {"dtype": "F64"},
        {"dtype": "O"},
        {"data_offsets": [0, 2**60]},
        {"data_offsets": [8, 0]},
    ]
    header[name] = entry | changes[rng.integers(len(changes))]
    text = json.dumps(header).encode()
    length = len(text) if rng.random() < 0.9 else 2**60
    path.write_bytes(struct.pack("<Q", length) + text + data[8 + size :])
    return None


def damaged_copy(run, copy, rng):
    """A copy of a run's directory with damage to a few of its files."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    for index in rng.choice(len(files), size=rng.integers(1, 3), replace=False):
        damage_file(files[index], rng)


def hostile_picture(path, rng):
    """Writes what claims to be a picture."""
    kinds = [whole, bomb, bomb, wrong_sizes, many_frames, noise_of_a_kind]
    data = kinds[rng.integers(len(kinds))](rng)
    path.write_bytes(data)
    if rng.random() < 0.6:
        [cut, flip, flip][rng.integers(3)](path, rng)


def whole(rng):
    mode = str(rng.choice(["RGB", "RGBA", "L", "P", "CMYK", "I;16", "1", "LA"]))
    size = tuple(int(side) for side in rng.integers(1, 90, size=2))
    kind = "TIFF" if mode in ("CMYK", "I;16") else str(rng.choice(["PNG", "GIF", "TIFF"]))
    if kind == "GIF" and mode in ("RGBA", "LA"):
        kind = "PNG"
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def png(width, height, depth, colour, rows):
    def chunk(name, content):
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def bomb(rng):
    """A few kilobytes that say they are up to billions of pixels."""
    side = int(rng.choice([1000, 9000, 13_000, 30_000, 2**31 - 1]))
    rows = zlib.compress(bytes(min(side, 13_000) ** 2 // int(rng.choice([1, 8, 64]))), 9)
    return png(side, side, int(rng.choice([1, 8, 16])), int(rng.choice([0, 2, 6])), rows)


def wrong_sizes(rng):
    width, height = (int(rng.choice([0, 1, 7, 2**30])) for _ in range(2))
    return png(width, height, 8, 2, zlib.compress(rng.bytes(500)))


def many_frames(rng):
    frames = [Image.new("RGB", (40, 40), (index, 0, 0)) for index in range(60)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def noise_of_a_kind(rng):
    magic = [
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"II*\x00",
        b"BM",
        b"RIFF0000WEBP",
    ]
    return magic[rng.integers(len(magic))] + rng.bytes(rng.integers(3000))
