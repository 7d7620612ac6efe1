"""Certificates in a browser: the code on the paper leads to the page that says whether it stands."""

import hashlib
import re
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser


def download(page: Page, site: Site) -> Path:
    page.goto(f"{site.url}/certificates/")
    with page.expect_download() as waiting:
        page.locator("li", has=page.get_by_text("Heart failure")).get_by_role("link", name="Download").last.click()
    return Path(waiting.value.path())


def test_the_qr_code_on_the_paper_leads_to_the_page_that_says_it_is_valid(
    open_browser: OpenBrowser, site: Site
) -> None:
    """Downloaded by its doctor, drawn as a printer would, read as a phone would, opened by somebody without account."""
    paper = download(open_browser("axe").new_page(), site)
    with pypdfium2.PdfDocument(paper) as document:
        picture = document[0].render(scale=2).to_pil()
    (code,) = zxingcpp.read_barcodes(picture)
    stranger = open_browser().new_page()
    stranger.goto(re.sub(r"https?://[^/]+", site.url, code.text))
    expect(stranger.get_by_text("This certificate is valid")).to_be_visible()
    (holder,) = site.rows(
        "SELECT facts->'facts'->>'holder' FROM certification_certificate WHERE public_id = %s",
        site.world["certificates"]["certificate"],
    )[0]
    expect(stranger.get_by_role("heading", level=1)).to_have_text(holder)
    stranger.get_by_role("link", name="Check another one").click()
    stranger.get_by_label("The PDF").set_input_files(paper)
    stranger.get_by_role("button", name="Check the file").click()
    expect(stranger.get_by_text("This file is the certificate as it was issued")).to_be_visible()
    assert violations(stranger) == []
    altered = paper.with_name("altered.pdf")
    altered.write_bytes(paper.read_bytes().replace(b"%PDF-", b"%PDF+", 1) + b"\n")
    stranger.go_back()
    stranger.get_by_label("The PDF").set_input_files(altered)
    stranger.get_by_role("button", name="Check the file").click()
    expect(stranger.get_by_text("This file was altered")).to_be_visible()


def test_the_code_typed_by_keyboard_alone(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser().new_page()
    page.goto(f"{site.url}/verify/")
    page.get_by_label("Code of the certificate").focus()
    code = site.world["certificates"]["certificate"]
    page.keyboard.type(" ".join(re.findall(".{1,4}", code.lower())))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/verify/{code}/")
    expect(page.get_by_text("This certificate is valid")).to_be_visible()


def test_the_file_in_the_storage_is_the_file_that_is_told_of(site: Site) -> None:
    (digest, name) = site.rows(
        "SELECT encode(sha256, 'hex'), stored_as FROM certification_certificatefile JOIN certification_certificate"
        " ON certificate_id = id WHERE public_id = %s",
        site.world["certificates"]["certificate"],
    )[0]
    assert Path(name).stem == digest
    stored = site.mail.parent / "media" / name
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == digest


def test_every_page_of_them_can_be_read_by_everybody(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow("status of 404")
    known, stranger = open_browser("axe").new_page(), open_browser().new_page()
    known.goto(f"{site.url}/certificates/")
    assert violations(known) == []
    take(known, "certificates", schemes=("light", "dark"))
    for name in ("certificate", "certificate_revoked"):
        stranger.goto(f"{site.url}/verify/{site.world['certificates'][name]}/")
        assert violations(stranger) == []
        take(stranger, name, schemes=("light", "dark"))
    for name, path in (("verify", "/verify/"), ("unknown", f"/verify/{'A' * 26}/"), ("ledger", "/ledger/")):
        stranger.goto(site.url + path)
        assert violations(stranger) == []
        take(stranger, name)
