"""What a made-up company runs: campaigns, flows, promotions, surveys. A few of each do most."""

from dataclasses import dataclass

from smoc_mcp.sandbox.chance import Weighted, skewed

__all__ = [
    "CAMPAIGNS",
    "CAMPAIGNS_OF_CUSTOMERS",
    "DEVICES",
    "DIRECT",
    "FLOWS",
    "PROMOS",
    "REFERRALS",
    "SITE",
    "SURVEY",
    "TEXT_FIELDS",
    "Question",
]

SITE = "https://www.example.com"

Part = dict[str, object]
"""Some fields of an object as it is sent."""


@dataclass(frozen=True, slots=True)
class _Campaign:
    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None
    referrer: str | None
    page: str
    share: float
    # How many of its contacts become customers, beside the average.
    success: float

    def as_sent(self) -> Part:
        return {
            "utmSource": self.source,
            "utmMedium": self.medium,
            "utmCampaign": self.campaign,
            "utmTerm": self.term,
            "utmContent": self.content,
            "referrer": self.referrer,
            "landingPage": SITE + self.page,
        }


_RUNNING = (
    _Campaign(
        "google", "cpc", "varsalg-2025", "solceller pris", "annonse-a",
        "https://www.google.com/", "/varsalg?utm_source=google&utm_campaign=varsalg-2025",
        0.24, 0.8,
    ),
    _Campaign(
        "google", "cpc", "brand", "nordlys", "annonse-b",
        "https://www.google.com/", "/?utm_source=google&utm_campaign=brand", 0.09, 2.1,
    ),
    _Campaign(
        "facebook", "paid_social", "varsalg-2025", None, "karusell-3",
        "https://l.facebook.com/", "/varsalg?utm_source=facebook", 0.18, 0.45,
    ),
    _Campaign(
        "instagram", "paid_social", "konkurranse-høst", None, "story-1",
        "https://l.instagram.com/", "/konkurranse?utm_source=instagram", 0.11, 0.15,
    ),
    _Campaign(
        "newsletter", "email", "kundebrev-08", None, "knapp-topp",
        None, "/nyheter?utm_source=newsletter", 0.08, 2.6,
    ),
    _Campaign(
        "linkedin", "paid_social", "b2b-webinar", None, "video-30s",
        "https://www.linkedin.com/", "/webinar?utm_source=linkedin", 0.05, 1.4,
    ),
    _Campaign(
        "tiktok", "paid_social", "konkurranse-høst", None, "klipp-7",
        "https://www.tiktok.com/", "/konkurranse?utm_source=tiktok", 0.05, 0.1,
    ),
    _Campaign(
        "partner", "referral", "verv-en-venn", None, None,
        "https://partner.example.org/artikkel", "/verv", 0.04, 3.0,
    ),
    _Campaign(None, None, None, None, None, None, "/", 0.12, 1.2),
    _Campaign(None, None, None, None, None, "https://duckduckgo.com/", "/priser", 0.04, 1.5),
)  # fmt: skip

DIRECT = _RUNNING[-2].as_sent()
"""A visit that no campaign brought."""

CAMPAIGNS = Weighted(*((it.as_sent(), it.share) for it in _RUNNING))
"""Where visits come from."""

CAMPAIGNS_OF_CUSTOMERS = Weighted(*((it.as_sent(), it.share * it.success) for it in _RUNNING))
"""Where those came from who became customers: the campaigns that sell have more of them."""


def _device(browser: str, os: str, kind: str, agent: str) -> Part:
    return {"browser": browser, "os": os, "deviceType": kind, "userAgent": f"Mozilla/5.0 {agent}"}


_IPHONE = "(iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) "

DEVICES: Weighted[Part] = Weighted(
    (
        _device(
            "Mobile Safari", "iOS", "mobile", f"{_IPHONE}Version/18.4 Mobile/15E148 Safari/604.1"
        ),
        0.34,
    ),
    (
        _device(
            "Chrome",
            "Android",
            "mobile",
            f"(Linux; Android 15; SM-S931B) {_WEBKIT}Chrome/137.0.0.0 Mobile Safari/537.36",
        ),
        0.24,
    ),
    (
        _device(
            "Chrome",
            "Windows",
            "desktop",
            f"(Windows NT 10.0; Win64; x64) {_WEBKIT}Chrome/137.0.0.0 Safari/537.36",
        ),
        0.19,
    ),
    (
        _device(
            "Safari",
            "macOS",
            "desktop",
            "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.4 Safari/605.1.15",
        ),
        0.09,
    ),
    (
        _device(
            "Edge",
            "Windows",
            "desktop",
            f"(Windows NT 10.0; Win64; x64) {_WEBKIT}Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0",
        ),
        0.06,
    ),
    (
        _device(
            "Firefox",
            "Linux",
            "desktop",
            "(X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
        ),
        0.04,
    ),
    (
        _device(
            "Mobile Safari",
            "iPadOS",
            "tablet",
            "(iPad; CPU OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.4 Mobile/15E148 Safari/604.1",
        ),
        0.04,
    ),
)
"""Browser, operating system, device type and user agent, which belong together."""


def _titled(prefix: str, *titles: str) -> tuple[Part, ...]:
    return tuple(
        {"id": f"{prefix}{place:04d}", "title": title} for place, title in enumerate(titles, 1)
    )


_FLOWS = _titled(
    "flow-",
    "Vårsalg 2025",
    "Book a demo",
    "Høstkonkurranse",
    "Newsletter sign-up",
    "Verv en venn",
    "Webinar: strøm for bedrifter",
)
FLOWS = skewed(_FLOWS, 0.6)
"""Flows where rewards are earned."""

PROMOS = skewed(
    _titled(
        "promo-",
        "Summer promo",
        "20 % på første ordre",
        "Gratis befaring",
        "Black Week",
        "2 for 1 kaffe",
        "VIP-kveld",
    ),
    0.65,
)
"""Promotions shown and redeemed."""

REFERRALS = skewed(
    (
        {"campaignId": 1, "campaignName": "Verv en venn", "flowVariantId": 11},
        {"campaignId": 2, "campaignName": "Bring a colleague", "flowVariantId": 21},
        {"campaignId": 3, "campaignName": "Sommerverving", "flowVariantId": 31},
    ),
    0.5,
)
"""Campaigns in which contacts refer others."""


@dataclass(frozen=True, slots=True)
class Question:
    """A survey question, how many answer it, and what they answer."""

    text: str
    english: str
    share: float
    answers: Weighted[tuple[str, str]]


SURVEY: tuple[tuple[str, Question], ...] = (
    (
        "q-heard",
        Question(
            "Hvor hørte du om oss?",
            "How did you hear about us?",
            0.38,
            skewed(
                (
                    ("Google", "Google"),
                    ("En venn", "A friend"),
                    ("Sosiale medier", "Social media"),
                    ("Avisen", "The newspaper"),
                    ("Husker ikke", "Do not remember"),
                ),
                0.55,
            ),
        ),
    ),
    (
        "q-interest",
        Question(
            "Hva er du interessert i?",
            "What are you interested in?",
            0.27,
            skewed(
                (
                    ("Solceller", "Solar panels"),
                    ("Varmepumpe", "Heat pump"),
                    ("Elbillader", "EV charger"),
                    ("Strømavtale", "Power contract"),
                )
            ),
        ),
    ),
    (
        "q-when",
        Question(
            "Når vil du komme i gang?",
            "When do you want to start?",
            0.19,
            skewed(
                (
                    ("Innen tre måneder", "Within three months"),
                    ("I år", "This year"),
                    ("Vet ikke", "Do not know"),
                    ("Så snart som mulig", "As soon as possible"),
                )
            ),
        ),
    ),
    (
        "q-score",
        Question(
            "Hvor sannsynlig er det at du anbefaler oss?",
            "How likely are you to recommend us?",
            0.12,
            skewed(tuple((str(score), str(score)) for score in (9, 8, 10, 7, 6, 3, 0)), 0.75),
        ),
    ),
    (
        "q-free",
        Question(
            "Noe mer du vil si?",
            "Anything else?",
            0.05,
            skewed(
                (
                    ("Ring meg etter kl. 16 🙂", "Call me after 4 pm 🙂"),
                    ("Nei takk", "No thanks"),
                    (
                        "Vi er et borettslag med 48 leiligheter og ønsker et tilbud før "
                        "generalforsamlingen i mai.",
                        "We are a housing cooperative of 48 flats and want an offer before the "
                        "general meeting in May.",
                    ),
                )
            ),
        ),
    ),
)
"""Questions by their ids."""


def _text_field(flow: int, key: str, *values: str) -> tuple[Part, Weighted[str]]:
    where: Part = {
        "flowId": _FLOWS[flow]["id"],
        "flowName": _FLOWS[flow]["title"],
        "variantId": f"variant-{flow}a",
        "variantName": "A",
        "key": key,
    }
    return where, skewed(values)


TEXT_FIELDS = skewed(
    (
        _text_field(0, "boligtype", "Enebolig", "Rekkehus", "Leilighet", "Hytte"),
        _text_field(0, "årsforbruk", "20 000 kWh", "12 000 kWh", "35 000 kWh", "vet ikke"),
        _text_field(1, "role", "CEO", "Innkjøper", "Marketing manager", "Styreleder"),
        _text_field(1, "employees", "1-10", "11-50", "51-200", "200+"),
        _text_field(2, "gjett antall", "412", "500", "1000", "42"),
        _text_field(5, "org.nr.", "000 000 000", "000000019", "NO 000 000 027 MVA"),
    ),
    0.75,
)
"""Fields of flows, each with what is typed into it."""
