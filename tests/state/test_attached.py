"""What can go along with a question, what of it is sent, and that it can be told apart again."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from vibedesk.state.attached import (
    MOST_CHARACTERS,
    MOST_PAGES,
    Attached,
    NotAttached,
    attached,
    attached_file,
    message_of,
    parts_of,
    pasted,
    picture_of,
)
from vibedesk.state.draft import shown


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF whose pages say these words."""
    writer = pypdf.PdfWriter()
    for words in pages:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({words}) Tj ET".encode())
        page[NameObject("/Contents")] = content
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"<svg", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
    ],
)
def test_a_picture_is_known_by_how_it_begins(start: bytes, kind: str | None) -> None:
    image = picture_of(start + b"\0" * 20)
    assert (image.media_type if image else None) == kind


def test_a_pdf_goes_along_as_the_text_of_its_pages() -> None:
    one = attached(pdf("First page", "Second page"), "report.pdf")
    assert (one.kind, one.pages, one.image) == ("pdf", 2, None)
    assert one.text == "First page\n\nSecond page"
    assert one.tokens == 6


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pdf("Secret", password="x"), "is locked with a password"),
        (pdf(""), "holds no text, only pictures of it"),
        (b"%PDF-1.7\nnonsense", "could not be read as a PDF"),
        (pdf("words")[:200], "could not be read as a PDF"),
        (b"", "holds no text"),
        (b"\0\0", "is neither text, nor a PDF"),
        (b"a" * (MOST_CHARACTERS + 1), "more than a million characters"),
    ],
)
def test_what_cannot_be_sent_says_why(data: bytes, said: str) -> None:
    with pytest.raises(NotAttached, match=said):
        attached(data, "a file")


def test_too_many_pages_are_refused_before_they_are_read() -> None:
    with pytest.raises(NotAttached, match=f"at most {MOST_PAGES} go along"):
        attached(pdf(*[""] * (MOST_PAGES + 1)), "book.pdf")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_encodings_people_have(encoding: str) -> None:
    assert attached("grün\r\n→ 2".encode(encoding), "a.txt").text == "grün\n→ 2"
    assert attached("grün".encode("cp1252"), "a.txt").text == "grün"


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(NotAttached):
        attached_file(tmp_path)
    with pytest.raises(NotAttached):
        attached_file(tmp_path / "none")


def test_a_key_in_a_file_is_found_while_it_is_read() -> None:
    assert attached(b"K=gsk_" + b"a1B2c3D4" * 6, ".env").key == "gsk_…c3D4"


names = st.text(st.characters(codec="utf-8", exclude_characters='"<>\n\r'), min_size=1, max_size=20)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60) | st.sampled_from(
    ["</attachment>", "</attachment-2>\n</attachment>", '<attachment name="x">\nx\n</attachment>']
)


@given(st.text(max_size=40).map(str.strip), st.lists(st.tuples(names, texts), max_size=3))
def test_a_message_can_be_told_apart_again(words: str, files: list[tuple[str, str]]) -> None:
    given_ = [Attached(name, "text", None, text) for name, text in files]
    message = message_of(words, given_)
    if "<attachment" in words:
        return
    found, parts = parts_of(message)
    assert found.strip() == words
    assert [(part.name, part.text) for part in parts] == files


def test_words_that_only_look_like_an_attachment_stay_words() -> None:
    for text in ('<attachment name="x">\nno end', 'a <attachment name="x">\nb\n</attachment> and more'):
        assert parts_of(text) == (text, ())


def test_a_bubble_names_what_went_along() -> None:
    message = message_of("Sum up", [Attached("a.txt", "text", None, "word " * 40)])
    assert shown(message) == "Sum up\n📎 a.txt · 50 tok"
    assert shown("Plain") == "Plain"


def test_a_paste_is_named_by_how_it_begins() -> None:
    assert pasted("def f():\n  pass\n" * 300).name == "Pasted: def f(): pass def f(): p…"
