"""Sign in to a running demonstration as doctors and as an operator, and keep pictures of what they see.

`script/screenshots <address> credit` takes those of one part only.
"""

import base64
import hmac
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pypdfium2
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SIGN_INS = Path(os.environ.get("VAR_DIR", ROOT / "var")) / "demo-sign-ins.txt"
DOCTOR, OPERATOR = "meera.nair@rounds.example", "sam.whitfield@rounds.example"
CERTIFIED = "helene.marchand@rounds.example"
LAPTOP = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]


def one_time_code(secret: str) -> str:
    """RFC 6238: six digits for the current half minute."""
    digest = hmac.digest(base64.b32decode(secret), int(time.time() // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def sign_in(page: Page, site: str, email: str, sign_ins: str) -> None:
    password = re.search(r"password\s+(\S+)", sign_ins)
    if not password:
        raise SystemExit(f"{SIGN_INS} names no password: start script/server with its demonstration")
    page.goto(f"{site}/sign-in/")
    page.get_by_text("I have a password").click()
    page.locator("input[type=email]:visible").fill(email)
    page.locator("input[type=password]").fill(password[1])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    if secret := re.search(rf"{re.escape(email)}\s+TOTP\s+(\S+)", sign_ins):
        page.locator("input[name=code]").fill(one_time_code(secret[1]))
        with page.expect_navigation():
            page.keyboard.press("Enter")


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole, animations="disabled")
    print(f"docs/images/{name}.png", flush=True)


def doctor(browser: Browser, site: str, sign_ins: str) -> None:
    page = browser.new_context(viewport=LAPTOP, timezone_id="Asia/Kolkata").new_page()
    page.goto(f"{site}/sign-in/")
    picture(page, "sign-in")
    sign_in(page, site, DOCTOR, sign_ins)
    picture(page, "home", whole=True)
    page.get_by_role("link", name=re.compile("^Continue from")).first.click()
    page.locator("video").wait_for()
    page.get_by_role("button", name=re.compile("^Continue from")).first.click()
    page.locator("video").evaluate(
        "video => new Promise(done => video.addEventListener('timeupdate', () => video.currentTime > 1 && done(true)))"
    )
    picture(page, "watch", whole=True)
    page.goto(f"{site}/programmes/fertility-2026/")
    picture(page, "programme", whole=True)
    phone = browser.new_context(viewport=PHONE, color_scheme="dark", timezone_id="Asia/Kolkata").new_page()
    sign_in(phone, site, DOCTOR, sign_ins)
    picture(phone, "home-phone-dark")


def operator(browser: Browser, site: str, sign_ins: str) -> None:
    page = browser.new_context(viewport=LAPTOP).new_page()
    sign_in(page, site, OPERATOR, sign_ins)
    page.goto(f"{site}/admin/")
    picture(page, "admin")
    page.goto(f"{site}/admin/media/video/")
    picture(page, "admin-videos")


def credit(browser: Browser, site: str, sign_ins: str) -> None:
    page = browser.new_context(viewport=LAPTOP, timezone_id="Asia/Kolkata").new_page()
    sign_in(page, site, DOCTOR, sign_ins)
    page.goto(f"{site}/credits/")
    picture(page, "credits", whole=True)
    page.locator(".credit-row h3 a").first.click()
    picture(page, "credit-counted", whole=True)
    document(page, f"{site}/credits/transcript.pdf", "transcript")
    page = browser.new_context(viewport=LAPTOP, locale="en").new_page()
    sign_in(page, site, CERTIFIED, sign_ins)
    page.goto(f"{site}/certificates/")
    with_credit = page.locator(".certificates li", has=page.locator(".certificate-credit")).first
    document(page, site + str(with_credit.locator("a.button").first.get_attribute("href")), "certificate")
    address = with_credit.locator("a[href^='/verify/']").first.get_attribute("href")
    stranger = browser.new_context(viewport=LAPTOP, locale="en").new_page()
    stranger.goto(f"{site}{address}")
    picture(stranger, "verification", whole=True)


def document(page: Page, address: str, name: str) -> None:
    """The first page of a PDF that a worker may still have to make."""
    for _ in range(30):
        answer = page.request.get(address)
        if answer.headers["content-type"] == "application/pdf":
            break
        time.sleep(2)
    else:
        raise SystemExit(f"No worker makes {address}")
    pypdfium2.PdfDocument(answer.body())[0].render(scale=1.5).to_pil().save(IMAGES / f"{name}.png", optimize=True)
    print(f"docs/images/{name}.png", flush=True)


PARTS = {"doctor": doctor, "credit": credit, "operator": operator}


def main() -> None:
    site = (sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000").rstrip("/")
    sign_ins = SIGN_INS.read_text(encoding="utf-8")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, part in PARTS.items():
            if name in (sys.argv[2:] or PARTS):
                part(browser, site, sign_ins)
        browser.close()


if __name__ == "__main__":
    main()
