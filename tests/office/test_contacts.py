"""The contacts file as people, spreadsheets and programs write it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import E164
from gateway.files.whole_file import NotYet, Unusable
from gateway.office import contacts

SAM, EVE = E164("+14155550123"), E164("+14155550125")


def groups(content: bytes | str) -> dict[str, tuple[str, str]]:
    read = contacts.read(content.encode() if isinstance(content, str) else content, "US")
    return {number: (contact.name, contact.group) for number, contact in read.by_number.items()}


def test_numbers_in_any_form_and_bad_rows_spoil_no_other() -> None:
    content = (
        "\ufeffnumber,name,group\n(415) 555-0123,Sam,staff\n+44 20 7946 0018,Vera,VIP\nfoo,X,\n\n# note\n"
        '4155550124,"Smith, Jo",\n4155550125,Eve,friends\n4155550123,Sam again,vip\n'
    )
    assert groups(content) == {
        "+14155550123": ("Sam again", "staff"),
        "+442079460018": ("Vera", "vip"),
        "+14155550124": ("Smith, Jo", ""),
        "+14155550125": ("Eve", "friends"),
    }
    assert [problem.line for problem in contacts.read(content.encode(), "US").problems] == [4, 8, 9]


TWO = {SAM: ("Jörg", "staff"), EVE: ("Eve", "blocked")}


@pytest.mark.parametrize(
    "content",
    [
        "4155550123,Jörg,staff\n4155550125,Eve,blocked\n",
        "number;name;group\r\n4155550123;Jörg;staff\r\n4155550125;Eve;blocked\r\n",
        "\ufeffNumber\tName\tGroup\n4155550123\tJörg\tstaff\n4155550125\tEve\tblocked",
        "group,number,name\nstaff,4155550123,Jörg\nblocked,4155550125,Eve\n",
        '"Full name","Group","Phone","Notes"\n"Jörg","staff","4155550123","a; b; c"\n"Eve","blocked","4155550125",""\n',
        "# our people\n\nGroup;Mobile;Name\nstaff;4155550123;Jörg\nblocked;4155550125;Eve\n",
        "sep=;\nnumber;name;group\n4155550123;Jörg;staff\n4155550125;Eve;blocked\n",
        "number,name,group\n4155550123,Jörg,staff\n4155550125,Eve,blocked\n,,\n",
        "number,name,group\r4155550123,Jörg,staff\r4155550125,Eve,blocked\r",
    ],
    ids=["bare", "semicolons", "tabs", "turned", "quoted", "commented", "sep", "empty-row", "old-mac"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_as_spreadsheets_write_it(content: str, encoding: str) -> None:
    written = content.removeprefix("\ufeff").encode(encoding)
    assert groups(written) == TWO
    said = [str(problem) for problem in contacts.read(written, "US").problems]
    assert said == (["is not UTF-8, and is read as Windows-1252; save the file as UTF-8"] if encoding == "cp1252" else [])


def test_an_open_quote_spoils_no_other_row() -> None:
    content = '4155550123,"Sam,staff\n4155550125,Eve,blocked\n"4155550126,Jo\n4155550127,"A ""quoted"" name",vip\n'
    assert groups(content)[EVE] == ("Eve", "blocked")
    assert groups(content)["+14155550127"] == ('A "quoted" name', "vip")
    assert [problem.line for problem in contacts.read(content.encode(), "US").problems if "quote" in problem.says] == [1, 3]


def test_what_is_wrong_with_a_row_is_told_without_its_number() -> None:
    read = contacts.read(b"415555012,Sam,staff\n4155550125,Eve,blokced\n4155550125,Eve,blocked\n", "US")
    assert [problem.says for problem in read.problems] == [
        "is no valid telephone number",
        "is no group that means anything here; there are staff, blocked, vip; did you mean blocked?",
        "stands here for the second time; the stricter group counts",
    ]
    assert str(read.problems[0]) == "'415555012' is no valid telephone number"
    assert read.by_number[EVE].group == "blocked"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0\0\xff\xfe\0", "is no text"),
        (b"PK\x03\x04\x14\0\x06\0", "is no text"),
        (b"<html><body>\n<h1>404</h1>\n</body></html>\n", "has 3 rows and no telephone number"),
        (b"name,group\nSam,staff\n", "has no column called number"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"foo\n", "has 1 rows and no telephone number"),
    ],
)
def test_what_is_no_table_of_contacts(content: bytes, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        contacts.read(content, "US")


@pytest.mark.parametrize("content", ["number,name,group\n", "# nobody yet\n"])
def test_nobody_is_known(content: str) -> None:
    assert groups(content) == {}


OLD = b"number,name,group\n4155550123,Sam,staff\n4155550125,Eve,blocked\n"


@pytest.mark.parametrize(
    ("new", "age", "fault"),
    [
        (b"", 1e9, Unusable),
        (b"\xef\xbb\xbf\r\n", 1e9, Unusable),
        (OLD[:-4], 1e9, Unusable),
        (OLD[:30], 1e9, Unusable),
        (OLD[: OLD.index(b"4155550125")], 1, NotYet),
        (OLD[: OLD.index(b"4155550125")], 61, None),
        (OLD[: OLD.index(b"4155550125") - 1], 61, None),
        (b"number,name,group\n", 61, None),
        (OLD.replace(b"Sam", b"Al"), 0, None),
        (OLD + b"4155550126,Al,staff", 0, None),
        (OLD, 0, None),
    ],
)
def test_half_written(new: bytes, age: float, fault: type[Unusable] | None) -> None:
    if fault is None:
        contacts.doubts(new, OLD, age)
    else:
        with pytest.raises(Unusable) as caught:
            contacts.doubts(new, OLD, age)
        assert type(caught.value) is fault


@given(st.binary(max_size=200) | st.text(alphabet='4155550123,;\t"\r\n#+ abnumergoup\ufeffé\x00', max_size=200).map(str.encode))
def test_whatever_lies_there_is_contacts_or_told(content: bytes) -> None:
    with contextlib.suppress(Unusable):
        read = contacts.read(content, "US")
        assert all(number.startswith("+") for number in read.by_number)
