"""Who is in the demonstration. Addresses end in .example, which no mail server will ever accept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from accounts.enums import OFFICE_ROLES, Role
from accounts.models import User
from courses.domain.roles import grant_role
from courses.models import Programme, RoleGrant

TOTP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Doctor:
    """`watched` is the share of each lecture seen, by the lecture's key; 1 completes it."""

    name: str
    title: str
    country: str
    timezone: str
    language: str
    specialty: str
    cohort: str
    watched: dict[str, float]
    is_invited: bool = False

    @property
    def email(self) -> str:
        return address(self.name)


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    title: str
    country: str
    timezone: str
    role: str
    is_everywhere: bool = False

    @property
    def email(self) -> str:
        return address(self.name)


def address(name: str) -> str:
    plain = name.lower().translate(str.maketrans("áàãçéèëíïñóöøüỳ", "aaaceeeiinooouy"))
    return f"{'.'.join(plain.split())}@rounds.example"


FIRST = {"preconception": 1.0, "reserve": 1.0}
HALF = {**FIRST, "pcos-metabolic": 1.0, "male-factor": 1.0, "luteal": 1.0}
ALL = {**HALF, "endometriosis": 1.0, "implantation": 1.0}
ASIA, EUROPE, AMERICAS = "Asia and Pacific", "Europe and Africa", "Americas"

DOCTORS = (
    Doctor(
        "Meera Nair", "Dr", "IN", "Asia/Kolkata", "en", "Reproductive medicine", ASIA, {**HALF, "endometriosis": 0.4}
    ),
    Doctor("Hélène Marchand", "Dr", "FR", "Europe/Paris", "fr", "Gynaecology", EUROPE, ALL),
    Doctor("Yuki Tanaka", "Dr", "JP", "Asia/Tokyo", "en", "Embryology", ASIA, {**ALL, "implantation": 0.75}),
    Doctor(
        "Ahmed Mansour", "Prof.", "EG", "Africa/Cairo", "ar", "Obstetrics", EUROPE, {**FIRST, "pcos-metabolic": 0.3}
    ),
    Doctor("Chidi Okafor", "Dr", "NG", "Africa/Lagos", "en", "Gynaecology", EUROPE, {**FIRST, "endometriosis": 0.85}),
    Doctor("Sofía Herrera", "Dra.", "MX", "America/Mexico_City", "es", "Reproductive medicine", AMERICAS, HALF),
    Doctor("João Teixeira", "Dr", "BR", "America/Sao_Paulo", "pt", "Urology", AMERICAS, {"male-factor": 1.0}),
    Doctor("Emily Carter", "Dr", "US", "America/Los_Angeles", "en", "Endocrinology", AMERICAS, {"preconception": 0.2}),
    Doctor("Lan Nguyen", "Dr", "VN", "Asia/Ho_Chi_Minh", "en", "Gynaecology", ASIA, {**FIRST, "luteal": 0.55}),
    Doctor("Leila Haddad", "Dr", "JO", "Asia/Amman", "ar", "Reproductive medicine", ASIA, FIRST),
    Doctor("Aroha Ngata", "Dr", "NZ", "Pacific/Auckland", "en", "General practice", ASIA, {}),
    Doctor("Piotr Kowalski", "Dr", "PL", "Europe/Warsaw", "en", "Obstetrics", EUROPE, {}, is_invited=True),
)
COUNCILS = {
    "IN": "Maharashtra Medical Council",
    "FR": "Conseil national de l’Ordre des médecins",
    "JP": "Ministry of Health, Labour and Welfare",
    "EG": "Egyptian Medical Syndicate",
    "NG": "Medical and Dental Council of Nigeria",
    "MX": "Consejo Mexicano de Ginecología y Obstetricia",
    "BR": "Conselho Federal de Medicina",
    "US": "Medical Board of California",
    "VN": "Ministry of Health",
    "JO": "Jordan Medical Council",
    "NZ": "Medical Council of New Zealand",
    "PL": "Naczelna Izba Lekarska",
    "NO": "Helsedirektoratet",
}
OTHER_DOCTOR = Doctor("Ingrid Solberg", "Dr", "NO", "Europe/Oslo", "en", "General practice", "", {})

STAFF = (
    Member("Ana Ribeiro", "Dr", "PT", "Europe/Lisbon", Role.PRESENTER),
    Member("Lars Holm", "Prof.", "SE", "Europe/Stockholm", Role.PRESENTER),
    Member("Nadia Rahman", "", "GB", "Europe/London", Role.MODERATOR),
    Member("Sam Whitfield", "", "GB", "Europe/London", Role.OPERATOR, is_everywhere=True),
    Member("Claire Dubois", "", "FR", "Europe/Paris", Role.SPONSOR),
    Member("George Adeyemi", "", "NG", "Africa/Lagos", Role.AUDITOR),
)
OTHER_MODERATOR = Member("Bengt Lund", "", "SE", "Europe/Stockholm", Role.MODERATOR)


def create_person(one: Doctor | Member, *, password_hash: str, signed_in_at: datetime | None) -> User:
    """All share one hash: ten different ones would cost ten times half a second, and the password is the same."""
    first, _, last = one.name.partition(" ")
    doctor = one if isinstance(one, Doctor) else None
    user, _ = User.objects.update_or_create(
        email=one.email,
        defaults={
            "title": one.title,
            "first_name": first,
            "last_name": last,
            "country": one.country,
            "timezone": one.timezone,
            "timezone_confirmed_at": signed_in_at,
            "language": doctor.language if doctor else "en",
            "specialty": doctor.specialty if doctor else "",
            "registration_number": f"{one.country}-{sum(map(ord, one.name)) * 37 % 90000 + 10000}" if doctor else "",
            "medical_council": COUNCILS[one.country] if doctor else "",
            "password": password_hash,
            "last_login": signed_in_at,
        },
    )
    return user


def create_member(member: Member, *, programme: Programme, password_hash: str, now: datetime) -> User:
    """With the role, and for the admin's people a TOTP authenticator: the rule is not weakened for a demonstration."""
    user = create_person(member, password_hash=password_hash, signed_in_at=now - timedelta(days=90))
    where = None if member.is_everywhere else programme
    grant_role(user=user, role=member.role, programme=where, granted_by=None, now=now)
    if member.role in OFFICE_ROLES and not Authenticator.objects.filter(user=user).exists():
        TOTP.activate(user, generate_totp_secret())
    return user


def secret_of(user: User) -> str:
    """The TOTP secret in base 32, for an authenticator app."""
    authenticator = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    return str(get_adapter().decrypt(authenticator.data["secret"]))


def current_code(user: User, *, now: datetime) -> str:
    return str(format_hotp_value(hotp_value(secret_of(user), int(now.timestamp()) // TOTP_SECONDS)))


def staff_of(domain: str = "@rounds.example") -> list[User]:
    granted = RoleGrant.objects.filter(role__in=OFFICE_ROLES)
    return list(User.objects.filter(email__endswith=domain, role_grants__in=granted).distinct().order_by("email"))
