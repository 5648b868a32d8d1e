"""Lists of images written as a table, and read again."""

from pathlib import Path

from thresher.tables import names, open_table

A, B, C = "https://a.example/1.jpg", "https://b.example/ü.jpg", "https://c.example/3.jpg"


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return path


def urls(path: Path) -> list[str]:
    """The URLs of a table, or what is wrong with a line under its number."""
    table = open_table(path, names.URL)
    return [values[0] if not what else f"{line}: {what}" for line, values, what in table.lines(*table.chosen)]
