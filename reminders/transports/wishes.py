"""What a person may answer to end messages, or to have them again.

`LISTED` are words that providers name. `USUAL` are those that messages in a country commonly offer, and the plain words
for "stop" in languages of the countries this product goes to; no provider lists them, and no law was read for them.
Whoever answers one of them and nothing else wants to be left alone, and a yes on the page takes it back. To begin again
a word must be said that means nothing else: "yes" may answer any question.
"""

import re
import unicodedata
from collections.abc import Mapping

from reminders.enums import Outcome

LISTED: Mapping[str, str] = {
    # https://help.twilio.com/articles/223134027 and https://www.twilio.com/docs/proxy/opt-out-keywords
    "Twilio": "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT ARRET ARRETE ARRETT",
    # https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
    "AWS": "ARRET CANCEL END OPT-OUT OPTOUT QUIT REMOVE STOP TD UNSUBSCRIBE",
}
# By language; words that belong together are joined by "_".
USUAL: Mapping[str, str] = {
    "en": "STOP_ALL OPT_OUT UNSUB STOP_SMS STOP_MESSAGES",
    "ar": "توقف إيقاف إلغاء أوقف",
    "bn": "বন্ধ থামুন",
    "cs": "KONEC ODHLÁSIT ZRUŠIT",
    "da": "AFMELD STOPPE",
    "de": "STOPP ENDE ABMELDEN ABBESTELLEN",
    "el": "ΣΤΟΠ ΤΕΛΟΣ ΔΙΑΚΟΠΗ",
    "es": "BAJA PARAR PARE ALTO CANCELAR",
    "fa": "لغو توقف",
    "fi": "LOPETA SEIS PERUUTA",
    "fil": "TIGIL ITIGIL HINTO",
    "fr": "ARRÊT ARRÊTER ARRÊTEZ DÉSINSCRIRE DÉSABONNER STOP_SMS",
    "he": "הסר עצור הפסק",
    "hi": "बंद बंद_करें रोकें",
    "hu": "LEIRATKOZÁS LEÁLLÍT",
    "id": "BERHENTI BATAL",
    "it": "FERMA BASTA CANCELLAMI DISISCRIVIMI",
    "ja": "停止 配信停止 解除",
    "ko": "수신거부 중지 그만",
    "ms": "BERHENTI HENTI",
    "nb": "STOPP AVMELD",
    "nl": "STOPPEN AFMELDEN",
    "pl": "KONIEC WYPISZ REZYGNUJĘ",
    "pt": "PARAR PARE SAIR CANCELAR REMOVER",
    "ro": "DEZABONARE OPREȘTE",
    "ru": "СТОП ОТПИСАТЬСЯ ОТМЕНА",
    "sv": "STOPP SLUTA AVSLUTA",
    "sw": "ACHA SIMAMISHA",
    "ta": "நிறுத்து",
    "th": "หยุด ยกเลิก",
    "tr": "RET DUR DURDUR İPTAL",
    "uk": "СТОП ВІДПИСАТИСЯ",
    "ur": "بند بند_کریں",
    "vi": "TC TỪ_CHỐI DỪNG HỦY",
    "zh": "退订 退訂 停止 取消 取消訂閱 取消订阅",
}
STARTED = ("START", "UNSTOP")


def _folded(text: str) -> str:
    """Without accents, case and what stands around it: phones write "Arret." for ARRÊT."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn")
    return " ".join(re.sub(r"^\W+|\W+$", "", bare.casefold()).split())


_STOP = frozenset(
    _folded(word.replace("_", " ")) for words in (*LISTED.values(), *USUAL.values()) for word in words.split()
)
_START = frozenset(_folded(word) for word in STARTED)


def wish_in(text: str) -> Outcome | None:
    """What a person answered, where it is one of the words, alone."""
    said = _folded(text)
    if said in _STOP:
        return Outcome.STOPPED
    return Outcome.STARTED if said in _START else None
