"""The strict reader of rows: the same counts and digests however a dump is cut, written or gathered; anything else refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.drivers.mysql.rows import STATEMENT, Rows, Unexpected

BEGIN, END = b"/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n", b"/*!40000 ALTER TABLE `t` ENABLE KEYS */;\n"
INSERT = b"INSERT INTO `t` (`a`, `b``c`) VALUES "


def escaped(value: bytes) -> bytes:
    for raw, written in (
        (b"\\", b"\\\\"),
        (b"\0", b"\\0"),
        (b"\n", b"\\n"),
        (b"\r", b"\\r"),
        (b"'", b"\\'"),
        (b"\x1a", b"\\Z"),
    ):
        value = value.replace(raw, written)
    return b"'" + value + b"'"


VALUES = st.one_of(
    st.binary(max_size=20).map(escaped), st.sampled_from([b"NULL", b"-1.5e10", b"0x00FF", b"_binary 'x'"])
)
ROWS = st.lists(st.tuples(VALUES, VALUES).map(lambda row: b"(" + b",".join(row) + b")"), min_size=1, max_size=8)


def read(text: bytes, cuts: list[int] | None = None) -> tuple[int, str]:
    kept = bytearray()
    reader = Rows(kept.extend)
    last = 0
    for cut in [*sorted(cut % (len(text) + 1) for cut in cuts or ()), len(text)]:
        reader.feed(text[last:cut])
        last = cut
    reader.finish()
    assert bytes(kept) == text
    count = reader.tables["t"]
    return count.rows, count.digest


@given(st.lists(ROWS, min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=6))
def test_rows_are_counted_and_digested_however_they_come(statements: list[list[bytes]], cuts: list[int]) -> None:
    rows = [row for statement in statements for row in statement]
    on_lines = BEGIN + b"".join(INSERT + b",\n".join(one) + b";\n" for one in statements) + END
    on_one = BEGIN + b"".join(INSERT + b",".join(one) + b";\n" for one in statements) + END
    at_once = BEGIN + INSERT + b",".join(rows) + b";\n" + END
    one_each = BEGIN + b"".join(INSERT + row + b";\n" for row in rows) + END
    seen = {read(text, cuts) for text in (on_lines, on_one, at_once, one_each)}
    assert len(seen) == 1
    assert seen.pop()[0] == len(rows)


@given(ROWS, st.data())
def test_any_changed_byte_of_a_value_changes_the_digest_or_is_refused(rows: list[bytes], data: st.DataObject) -> None:
    text = BEGIN + INSERT + b",\n".join(rows) + b";\n" + END
    at = data.draw(st.integers(len(BEGIN) + len(INSERT), len(text) - len(END) - 3))
    changed = bytearray(text)
    changed[at] ^= 1
    try:
        assert read(bytes(changed)) != read(text)
    except Unexpected:
        pass


def test_a_row_larger_than_any_buffer_is_one_row() -> None:
    big = b"('" + b"x" * (3 * STATEMENT) + b"')"
    text = BEGIN + INSERT + big + b";\n" + INSERT + b"('y'),\n('z');\n" + END
    assert read(text, list(range(0, len(text), 65_536)))[0] == 3


@pytest.mark.parametrize(
    "text",
    [
        b"DROP TABLE `t`;\n",
        BEGIN + b"UPDATE `t` SET a = 1;\n" + END,
        BEGIN + b"INSERT INTO `other` VALUES (1);\n" + END,
        INSERT + b"(1);\n",
        BEGIN + INSERT + b"(1) ON DUPLICATE KEY UPDATE a = 2;\n" + END,
        BEGIN + INSERT + b"(1),\n2;\n" + END,
        BEGIN + INSERT + b"('a\nb'),\n(1);\n" + END,
        BEGIN + INSERT + b"(1);\n",
        BEGIN + INSERT + b"(1),",
        BEGIN + END + BEGIN + END,
        BEGIN + BEGIN + END,
        END,
        b"/*!50003 CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1 */;\n",
        b"\\! rm -rf /\n",
    ],
)  # fmt: skip
def test_what_is_no_dump_of_rows_is_refused(text: bytes) -> None:
    with pytest.raises(Unexpected):
        read(text)


def test_only_picked_tables_pass_and_comments_never() -> None:
    other = BEGIN.replace(b"`t`", b"`u`") + b"INSERT INTO `u` VALUES (1);\n" + END.replace(b"`t`", b"`u`")
    kept = bytearray()
    reader = Rows(kept.extend, only={"u"})
    sandbox = b"/*M!999999\\- enable the sandbox mode */ \n-- comment\n--\n/*!40101 SET NAMES binary */;\n\n"
    reader.feed(sandbox + BEGIN + INSERT + b"(1,2);\n" + END + other + b"-- Dump completed\n")
    reader.finish()
    assert bytes(kept) == other
    assert reader.completed
    assert {name: count.rows for name, count in reader.tables.items()} == {"t": 1, "u": 1}
