"""The programmes of the demonstration, with dates relative to now: always in the middle of their year."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import User
from courses.domain.authoring import publish_course, publish_programme, save_course, save_lesson, save_programme
from courses.enums import CompletionRule, LessonKind
from courses.models import Cohort, Course, Lesson, Programme
from lms.demo.lectures import Lecture, Slide
from lms.demo.people import AMERICAS, ASIA, EUROPE
from lms.demo.questions import create_check, create_test
from media.models import Video
from webinars.domain.scheduling import save_schedule
from webinars.models import Webinar

SLUG = "fertility-2026"
OTHER_SLUG = "menopause-care"
WITH_CREDIT = "Ovarian reserve: what the tests mean"


@dataclass(frozen=True, slots=True)
class Part:
    """A lesson. `deck` names its slides; without them the lesson waits for its recording."""

    title: str
    speakers: tuple[str, ...]
    deck: str = ""
    summary: str = ""
    live_in: timedelta | None = None
    """When it begins live, from the moment the demonstration is loaded."""


@dataclass(frozen=True, slots=True)
class Outline:
    title: str
    summary: str
    parts: tuple[Part, ...]
    opens_in_days: int = -100
    needed: int | None = None
    is_sequential: bool = False
    after: tuple[int, ...] = field(default=())
    is_required: bool = True


ANA, LARS = "Ana Ribeiro", "Lars Holm"
COURSES = (
    Outline(
        "Preconception counselling",
        "What to ask, advise and treat in the year before a pregnancy.",
        (Part("Preconception counselling: the year before", (ANA,), "preconception"),),
    ),
    Outline(
        "Ovarian reserve: what the tests mean",
        "AMH, follicle count and FSH: what they predict, and the questions they cannot answer.",
        (Part(WITH_CREDIT, (LARS,), "reserve"),),
    ),
    Outline(
        "PCOS after thirty",
        "Two lectures, one from the metabolic and one from the reproductive side. One of them is enough.",
        (
            Part("PCOS after thirty: the metabolic view", (ANA,), "pcos-metabolic"),
            Part("PCOS after thirty: getting to ovulation", (LARS,), "pcos-ovulation"),
        ),
        needed=1,
    ),
    Outline(
        "Endometriosis and fertility",
        "Pain and pregnancy are two questions. What the evidence says to each of them.",
        (Part("Endometriosis and fertility: what the evidence says", (ANA,), "endometriosis"),),
        opens_in_days=-60,
    ),
    Outline(
        "Male factor: beyond the count",
        "Examine, repeat, explain: the other half of every couple.",
        (Part("Male factor: beyond the count", (LARS,), "male-factor"),),
        opens_in_days=-45,
    ),
    Outline(
        "Luteal support in 2026",
        "Which progesterone, from when, and for how long.",
        (Part("Luteal support in 2026", (ANA,), "luteal"),),
        opens_in_days=-30,
    ),
    Outline(
        "Recurrent implantation failure",
        "Few tests, each with a consequence. Opens after “Luteal support in 2026”.",
        (Part("Recurrent implantation failure: what helps", (LARS, ANA), "implantation"),),
        opens_in_days=-14,
        after=(6,),
    ),
    Outline(
        "Fertility preservation in oncology",
        "Deciding within days, together with oncology.",
        (
            Part("Fertility preservation in oncology: before treatment", (LARS,)),
            Part("Fertility preservation in oncology: years later", (LARS,)),
        ),
        opens_in_days=5,
        is_sequential=True,
    ),
    Outline(
        "Twin pregnancies after IVF",
        "Preventing them, and caring for them.",
        (Part("Twin pregnancies after IVF", (ANA,)),),
        opens_in_days=26,
    ),
    Outline(
        "Ethics of embryo selection",
        "What can be tested, what should be, and who decides.",
        (Part("Ethics of embryo selection", (ANA, LARS)),),
        opens_in_days=47,
    ),
    Outline(
        "Live evenings",
        "Your questions, answered live. Whoever cannot come continues in the recording.",
        (
            Part("Ask us anything: the year before", (ANA,), live_in=timedelta(minutes=15)),
            Part("Difficult cases: the male factor", (LARS, ANA), live_in=timedelta(days=1)),
        ),
        opens_in_days=-10,
        is_required=False,
    ),
)
FIRST_TO_TRANSCODE = ("endometriosis", "reserve", "male-factor")
"""What a visitor is likely to play first."""


def lectures(decks: Mapping[str, tuple[Slide, ...]]) -> list[Lecture]:
    names = {ANA: "Dr Ana Ribeiro", LARS: "Prof. Lars Holm"}
    found = [
        Lecture(part.deck, part.title, " · ".join(names[name] for name in part.speakers), decks[part.deck])
        for outline in COURSES
        for part in outline.parts
        if part.deck
    ]
    return sorted(found, key=lambda one: (one.key not in FIRST_TO_TRANSCODE, found.index(one)))


def day(now: datetime, days: int) -> datetime:
    """Seven in the morning, UTC, so many days from now: nothing opens at 20:52:33."""
    return now.replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=days)


def on_the_quarter(at: datetime) -> datetime:
    """The last quarter of an hour before: a live webinar begins at 18:15, and its doors are open by then."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def create_fertility(*, now: datetime) -> Programme:
    programme = save_programme(
        programme=Programme(
            slug=SLUG,
            title="Fertility 2026",
            society="European Forum of Reproductive Medicine",
            summary="Ten courses on what changed in reproductive medicine, for everyday practice. "
            "Watch in your own time; your place is kept to the second on every device.",
            timezone="Europe/Lisbon",
            opens_at=day(now, -120),
            closes_at=day(now, 102),
        ),
        now=now,
    )
    for name in (ASIA, EUROPE):
        Cohort.objects.create(programme=programme, name=name)
    Cohort.objects.create(programme=programme, name=AMERICAS, closes_at=day(now, 88))
    return programme


def create_courses(
    *, programme: Programme, videos: Mapping[str, Video], speakers: Mapping[str, User], now: datetime
) -> None:
    made = [_create_course(programme, outline, videos, speakers, now) for outline in COURSES]
    for course, outline in zip(made, COURSES, strict=True):
        course.prerequisites.set(made[number - 1] for number in outline.after)
        publish_course(course=course, now=now)
    create_test(course=made[1], title="Ovarian reserve: what stayed with you", now=now)
    live = (
        Lesson.objects.filter(course__in=made, webinar__starts_at__isnull=False).order_by("webinar__starts_at").first()
    )
    if live is not None:
        create_check(during=live, title="What would you do?", now=now)
    title = "Your feedback on ovarian reserve"
    save_lesson(lesson=Lesson(course=made[1], kind=LessonKind.EVALUATION, title=title, is_required=False), now=now)
    publish_programme(programme=programme)
    save_course(
        course=Course(
            programme=programme,
            title="Endometriosis in adolescents",
            summary="An idea for next year; only the organisers see a draft.",
            is_required=False,
        ),
        now=now,
    )


def _create_course(
    programme: Programme,
    outline: Outline,
    videos: Mapping[str, Video],
    speakers: Mapping[str, User],
    now: datetime,
) -> Course:
    course = save_course(
        course=Course(
            programme=programme,
            title=outline.title,
            summary=outline.summary,
            opens_at=day(now, outline.opens_in_days),
            is_sequential=outline.is_sequential,
            completion_rule=CompletionRule.N_OF_M if outline.needed else CompletionRule.ALL,
            required_count=outline.needed,
            is_required=outline.is_required,
        ),
        now=now,
    )
    for part in outline.parts:
        lesson = save_lesson(
            lesson=Lesson(course=course, kind=LessonKind.WEBINAR, title=part.title, summary=part.summary), now=now
        )
        webinar = Webinar.objects.get(lesson=lesson)
        webinar.presenters.set(speakers[name] for name in part.speakers)
        if part.live_in:
            webinar.starts_at = on_the_quarter(now + part.live_in)
            save_schedule(webinar=webinar, actor=None, now=now)
        if part.deck:
            webinar.video = videos[part.deck]
            webinar.save(update_fields=["video", "updated_at"])
    return course


def with_credit(programme: Programme) -> Lesson:
    """The lecture that was a live evening first, and has a test and feedback beside it."""
    found: Lesson = Lesson.objects.select_related("course__programme").get(
        course__programme=programme, kind=LessonKind.WEBINAR, title=WITH_CREDIT
    )
    return found


def create_other(*, now: datetime) -> Programme:
    """Somebody else's programme: nobody of the first one may ever see it."""
    programme = save_programme(
        programme=Programme(
            slug=OTHER_SLUG,
            title="Menopause Care",
            society="Nordic Society for Women’s Health",
            summary="Three evenings on the years around fifty.",
            timezone="Europe/Oslo",
            opens_at=day(now, -10),
            closes_at=day(now, 200),
        ),
        now=now,
    )
    for number, title in enumerate(("Understanding the transition", "Hormones: whom, which, how long")):
        # Not 14 days: whether the office asks for its video within two weeks would hang on the hour of the day.
        opens_at = day(now, 10 + 14 * number)
        course = save_course(course=Course(programme=programme, title=title, opens_at=opens_at), now=now)
        save_lesson(lesson=Lesson(course=course, kind=LessonKind.WEBINAR, title=title), now=now)
        publish_course(course=course, now=now)
    publish_programme(programme=programme)
    return programme


def webinars_by_deck(videos: Mapping[str, Video]) -> dict[str, Webinar]:
    keys = {video.pk: key for key, video in videos.items()}
    rows = Webinar.objects.filter(video__in=keys).select_related("lesson__course__programme")
    return {keys[webinar.video_id]: webinar for webinar in rows if webinar.video_id}
