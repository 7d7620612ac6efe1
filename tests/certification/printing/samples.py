"""Facts and looks in many scripts, and how tests look at a page."""

import io
import re
import unicodedata
from dataclasses import replace
from datetime import date

import pypdfium2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageDraw

from certification.printing.document import CertificateFacts, Look
from certification.printing.facts import Credit, Labels, Signatory

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC_ID = "7KQ2M4XZPWJH3RTV5NBYCD6FGA"
ADDRESS = f"https://learn.example.org/verify/{PUBLIC_ID}/"
STATEMENT = (
    "The European Society for Primary Care Cardiology is accredited by the Accreditation Council for Continuing "
    "Medical Education (ACCME) to provide continuing medical education for physicians. The society designates this "
    "live activity for a maximum of 1.00 AMA PRA Category 1 Credits™. Physicians should claim only the credit "
    "commensurate with the extent of their participation in the activity."
)
FACTS = CertificateFacts(
    holder="Dr. Amelia Okonkwo-Hartmann",
    title="Heart failure in primary care: what changed in 2026",
    number="CARD-2026-000142",
    public_id=PUBLIC_ID,
    verify_address=ADDRESS,
    issued_on=date(2026, 11, 22),
    council="General Medical Council",
    registration_number="GMC 7412589",
    programme="Cardiology for General Practice 2026",
    provider="European Society for Primary Care Cardiology",
    format="live",
    began_on=date(2026, 11, 20),
    credits=(Credit("0.75", "AMA PRA Category 1 Credits™", "ACCME-0042"), Credit("1", "ECMEC®", "EACCME-26-0412")),
    statements=(STATEMENT,),
    signatories=(
        Signatory("Prof. Maria Lindqvist", "Chair, Education Committee"),
        Signatory("Dr. Rajesh Iyer", "Course director"),
    ),
)
LONG_NAME = "Univ.-Prof. Dr. med. habil. Maximiliane-Theodora Freifrau von Württemberg-Hohenstaufen y Gómez"
LONG_TITLE = (
    "Multidisciplinary management of acute decompensated heart failure with preserved ejection fraction in elderly "
    "patients with chronic kidney disease, diabetes and frailty: a case-based update of the 2026 guidelines for "
    "general practitioners, hospitalists and heart failure nurses"
)
ARABIC_LABELS = Labels(
    months=(
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ),
    took_place="التاريخ",
    format="الصيغة",
    live="نشاط مباشر",
    place="المكان",
    online="عبر الإنترنت",
    council="المجلس الطبي",
    registration_number="رقم التسجيل",
    number="رقم الشهادة",
    issued_on="تاريخ الإصدار",
    verify="تحقق من هذه الشهادة",
)


def drawn(width: int, height: int, *, kind: str = "PNG", mode: str = "RGB") -> bytes:
    """A picture that is not empty."""
    image = Image.new(mode, (width, height), "white")
    ImageDraw.Draw(image).ellipse((10, 10, width - 10, height - 10), outline="black", width=8)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


SAMPLES: dict[str, tuple[CertificateFacts, Look]] = {
    "latin": (FACTS, Look()),
    "pictures": (
        FACTS, Look(logo=drawn(600, 160), logo_alt="The society", signatures=(b"", drawn(400, 120, kind="JPEG"))),
    ),
    "letter": (FACTS, Look(paper="letter", accent="#1f3a8a")),
    "bare": (
        CertificateFacts(
            holder="Jo Lee", title="Sepsis", number="A-1", public_id=PUBLIC_ID, verify_address=ADDRESS,
            issued_on=date(2026, 1, 5),
        ),
        Look(heading="Certificate of Attendance", below="took part in"),
    ),
    "long": (
        replace(
            FACTS, holder=LONG_NAME, title=LONG_TITLE, statements=(STATEMENT,) * 3, edition=2,
            replaces="CARD-2026-000117", ended_on=date(2026, 11, 22), place="Palais des Congrès, Aix-en-Provence",
            credits=(*FACTS.credits, Credit("12.5", "CPD points of the Royal College"), Credit("2", "credit hours")),
            signatories=FACTS.signatories * 2,
        ),
        Look(paper="letter"),
    ),
    "arabic": (
        replace(
            FACTS, holder="د. فاطمة الزهراء بنت عبد الرحمن القحطاني", title="قصور القلب في الرعاية الأولية: ما الجديد",
            programme="أمراض القلب للممارسة العامة", provider="الجمعية الأوروبية لأمراض القلب",
            council="الهيئة السعودية للتخصصات الصحية", statements=(), signatories=(),
        ),
        Look(language="ar", heading="شهادة إتمام", above="نشهد بأن", below="قد أتمّ بنجاح", labels=ARABIC_LABELS),
    ),
    "hebrew": (replace(FACTS, holder="ד״ר רחל בן־דוד", title="אי ספיקת לב ברפואה ראשונית"), Look(language="he")),
    "devanagari": (
        replace(FACTS, holder="डॉ. लक्ष्मीबाई क्षीरसागर", title="प्राथमिक चिकित्सा में हृदय विफलता"), Look(language="hi"),
    ),
    "tamil": (replace(FACTS, holder="டாக்டர் மீனாட்சி சுந்தரம்", title="முதன்மை மருத்துவத்தில் இதயம்"), Look(language="ta")),
    "bengali": (replace(FACTS, holder="ডাঃ অনিন্দিতা চট্টোপাধ্যায়", title="প্রাথমিক চিকিৎসায় হৃদরোগ"), Look(language="bn")),
    "chinese": (replace(FACTS, holder="王鑫喆", title="基层医疗中的心力衰竭：二〇二六年的新变化"), Look(language="zh")),
    "taiwanese": (replace(FACTS, holder="陳慧嫻", title="基層醫療中的心臟衰竭"), Look(language="zh-TW")),
    "japanese": (replace(FACTS, holder="中村 直樹", title="プライマリ・ケアにおける心不全"), Look(language="ja")),
    "korean": (replace(FACTS, holder="김은지", title="일차 진료에서의 심부전"), Look(language="ko")),
    "greek": (replace(FACTS, holder="Δρ. Ελευθερία Παπαδοπούλου", title="Καρδιακή ανεπάρκεια"), Look(language="el")),
    "cyrillic": (replace(FACTS, holder="Д-р Ольга Щербакова", title="Сердечная недостаточность"), Look(language="ru")),
    "vietnamese": (replace(FACTS, holder="Nguyễn Thị Phương-Ánh", title="Suy tim ở tuyến cơ sở"), Look(language="vi")),
    "thai": (replace(FACTS, holder="นพ. สมชาย ศรีสุวรรณ", title="ภาวะหัวใจล้มเหลว"), Look(language="th")),
}  # fmt: skip


def page_text(pdf: bytes, *, page: int = 0) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return str(document[page].get_textpage().get_text_range())


def pages(pdf: bytes) -> int:
    return len(pypdfium2.PdfDocument(pdf))


def rastered(pdf: bytes, *, scale: float = 2) -> Image.Image:
    """The page as 72 × `scale` dots an inch."""
    return pypdfium2.PdfDocument(pdf)[0].render(scale=scale).to_pil().convert("RGB")


def squeezed(text: str) -> str:
    """Without what line breaks and letter spacing do to a text on its way back out of a page."""
    return re.sub(r"\s|[\u0002\u00ad\ufffe]", "", unicodedata.normalize("NFC", text)).casefold()
