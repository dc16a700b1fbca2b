"""Where made-up people live, what they are called there, and how they write their numbers."""

# Greek and Ukrainian letters that look like Latin ones are what they should be.
# ruff: noqa: RUF001

from dataclasses import dataclass

from smoc_mcp.sandbox.chance import Weighted

__all__ = ["PLACES", "City", "Name", "Place"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as its bearer writes it, and as it stands in an e-mail address."""

    written: str
    latin: str


@dataclass(frozen=True, slots=True)
class City:
    """A city in its state or county."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Place:
    """A country with the names, companies and habits of its people."""

    country: str
    # Country code and first digits of numbers that no network hands out, where such are known.
    dial: str
    prefix: str
    digits: int
    zip_pattern: str
    cities: tuple[City, ...]
    streets: tuple[str, ...]
    companies: tuple[str, ...]
    first_names: tuple[Name, ...]
    last_names: tuple[Name, ...]


def _names(text: str) -> tuple[Name, ...]:
    """Read names that stand as `Łukasz:lukasz`, or `Kari` where the address has the same."""
    pairs = (word.partition(":") for word in text.split())
    return tuple(Name(name.replace("_", " "), latin or name.lower()) for name, _, latin in pairs)


def _cities(text: str) -> tuple[City, ...]:
    """Read cities that stand as `Oslo:Oslo, Bergen:Vestland`."""
    pairs = (pair.strip().partition(":") for pair in text.split(","))
    return tuple(City(name, state) for name, _, state in pairs)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


_NORWAY = Place(
    "NO",
    "47",
    "15",
    6,
    "####",
    _cities(
        "Oslo:Oslo, Bergen:Vestland, Trondheim:Trøndelag, Tromsø:Troms, Ålesund:Møre og Romsdal, "
        "Bodø:Nordland, Kristiansand:Agder, Hønefoss:Buskerud"
    ),
    _list("Storgata, Kirkeveien, Åsveien, Bjørkelia, Strandgata, Øvre Torggate, Skogveien"),
    _list(
        "Fjordkraft Bygg AS, Nordlys Regnskap AS, Bølgen & Sønner, Ås Gartneri, Brevik Havn KF, "
        "Solbakken Barnehage, Tindvik Eiendom AS, Ærlig Kaffe"
    ),
    _names(
        "Kari Ingrid Bjørn:bjorn Øyvind:oyvind Åse:ase Sigrid Håkon:hakon Solveig Lars Nora "
        "Jørgen:jorgen Ragnhild Sindre Anne-Marie Torbjørn:torbjorn Maja"
    ),
    _names(
        "Øverland:overland Hansen Bråten:braten Nygård:nygard Bakke Sørensen:sorensen Lie Dahl "
        "Ås:as Kristoffersen Fjellheim Strøm:strom Haugen Moen Solberg Tveit"
    ),
)

_SWEDEN = Place(
    "SE",
    "46",
    "71",
    7,
    "### ##",
    _cities("Stockholm:Stockholm, Göteborg:Västra Götaland, Malmö:Skåne, Umeå:Västerbotten"),
    _list("Drottninggatan, Södra vägen, Björkgatan, Åkervägen, Kungsgatan"),
    _list("Björkmans Bageri AB, Västkustens El AB, Lindström & Partner, Södermalm Design"),
    _names("Åsa:asa Björn:bjorn Linnéa:linnea Göran:goran Elsa Maja Anders Märta:marta Oskar"),
    _names("Lindström:lindstrom Åkesson:akesson Sjöberg:sjoberg Nyström:nystrom Holm Ek"),
)

_GERMANY = Place(
    "DE",
    "49",
    "199",
    8,
    "#####",
    _cities(
        "München:Bayern, Köln:Nordrhein-Westfalen, Berlin:Berlin, Düsseldorf:Nordrhein-Westfalen, "
        "Würzburg:Bayern, Gießen:Hessen"
    ),
    _list("Hauptstraße, Goethestraße, Am Mühlbach, Königsallee, Bäckergasse, Schloßplatz"),
    _list(
        "Müller & Söhne GmbH, Bäckerei Groß, Küstenwind Energie AG, Straßenbau Weiß KG, "
        "Grünwald Immobilien GmbH"
    ),
    _names(
        "Jürgen:juergen Käthe:kaethe Sören:soeren Anna Björn:bjoern Lukas Günther:guenther Lena "
        "Hans-Peter Zoë:zoe"
    ),
    _names(
        "Müller:mueller Groß:gross Schäfer:schaefer Weiß:weiss Köhler:koehler Schmidt von_Bülow:"
        "vonbuelow Jäger:jaeger Fischer Strauß:strauss"
    ),
)

_POLAND = Place(
    "PL",
    "48",
    "10",
    7,
    "##-###",
    _cities("Łódź:łódzkie, Kraków:małopolskie, Gdańsk:pomorskie, Wrocław:dolnośląskie"),
    _list("ul. Długa, ul. Świętego Jana, al. Niepodległości, ul. Mickiewicza, ul. Źródlana"),
    _list("Piekarnia Złoty Kłos, Śląskie Okna Sp. z o.o., Żagiel S.A., Kowalski i Wspólnicy"),
    _names(
        "Łukasz:lukasz Małgorzata:malgorzata Paweł:pawel Zofia Michał:michal Żaneta:zaneta "
        "Stanisław:stanislaw Agnieszka Jędrzej:jedrzej"
    ),
    _names(
        "Wójcik:wojcik Kowalczyk Łuczak:luczak Dąbrowska:dabrowska Nowak Świątek:swiatek "
        "Żółkiewska:zolkiewska Wiśniewski:wisniewski"
    ),
)

_FRANCE = Place(
    "FR",
    "33",
    "19900",
    4,
    "#####",
    _cities("Paris:Île-de-France, Orléans:Centre-Val de Loire, Besançon:Doubs, Nîmes:Gard"),
    _list("rue de la Paix, avenue Général-Leclerc, impasse des Chênes, quai de l'Île"),
    _list("Boulangerie L'Épi d'Or, Société Générale des Pêches, Atelier Hélène & Cie"),
    _names("Hélène:helene François:francois Zoé:zoe Jean-Noël:jean-noel Agnès:agnes Loïc:loic"),
    _names("Lefèvre:lefevre D'Aubigné:daubigne Gérard:gerard Fabre Lemaître:lemaitre Noël:noel"),
)

_BRITAIN = Place(
    "GB",
    "44",
    "7700900",
    3,
    "EC#A #BB",
    _cities("London:Greater London, Leeds:West Yorkshire, Cardiff:Wales, Inverness:Highland"),
    _list("High Street, Station Road, Queen's Road, Church Lane, St John's Hill"),
    _list("Harbour & Sons Ltd, The Tea Merchant, O'Neill Fencing Ltd, Blackwood Legal LLP"),
    _names("Siobhán:siobhan Oliver Amelia Rhys Priya Zoë:zoe Callum Aisha Grace"),
    _names("O'Neill:oneill Patel Smith-Jones:smith-jones MacDonald Hughes Okafor Taylor"),
)

_STATES = Place(
    "US",
    "1",
    "20255501",
    2,
    "#####",
    _cities("Austin:TX, Portland:OR, St. Paul:MN, Boston:MA, San José:CA"),
    _list("Main St, 5th Ave, Martin Luther King Jr Blvd, Oak St, Elm St Apt 4B"),
    _list("Lone Star Roofing LLC, Bright & Early Inc., Maple Dental, Nuñez Bros."),
    _names("José:jose Emily Tyrone Mia Wei Madison Ethan Guadalupe"),
    _names("García:garcia Johnson Nguyen Núñez:nunez Williams Lee Washington"),
)

_GREECE = Place(
    "GR",
    "30",
    "19",
    8,
    "### ##",
    _cities("Αθήνα:Αττική, Θεσσαλονίκη:Κεντρική Μακεδονία, Πάτρα:Αχαΐα"),
    _list("Ερμού, Λεωφόρος Αλεξάνδρας, Πατησίων, Εγνατία"),
    _list("Αφοί Παπαδόπουλοι Ο.Ε., Αιγαίο Τουριστική Α.Ε., Φούρνος Η Γωνιά"),
    _names("Γιώργος:giorgos Μαρία:maria Ελένη:eleni Νίκος:nikos Αθηνά:athina Στέλιος:stelios"),
    _names(
        "Παπαδόπουλος:papadopoulos Γεωργίου:georgiou Οικονόμου:oikonomou Αγγελής:angelis "
        "Δημητρίου:dimitriou"
    ),
)

_UKRAINE = Place(
    "UA",
    "380",
    "20",
    7,
    "#####",
    _cities("Київ:Київ, Львів:Львівська область, Одеса:Одеська область, Харків:Харківська область"),
    _list("вул. Хрещатик, вул. Лесі Українки, просп. Свободи, вул. Шевченка"),
    _list("ТОВ «Світанок», Пекарня «Їжачок», ФОП Коваленко, Агро-Поділля"),
    _names("Олена:olena Тарас:taras Юлія:yuliia Андрій:andrii Ганна:hanna Їванка:yivanka"),
    _names("Шевченко:shevchenko Коваленко:kovalenko Бондар:bondar Ткачук:tkachuk Мельник:melnyk"),
)

_JAPAN = Place(
    "JP",
    "81",
    "10",
    8,
    "###-####",
    _cities("東京:東京都, 大阪:大阪府, 札幌:北海道, 福岡:福岡県"),
    _list("銀座, 本町, 中央通り, 桜丘町"),
    _list("株式会社さくら, 山田商店, 有限会社ミナト設計"),
    _names("花子:hanako 太郎:taro 美咲:misaki 健:ken さくら:sakura ユウキ:yuki"),
    _names("山田:yamada 佐藤:sato 鈴木:suzuki 髙橋:takahashi 渡邉:watanabe"),
)

_EMIRATES = Place(
    "AE",
    "971",
    "10",
    7,
    "#####",
    _cities("دبي:دبي, أبوظبي:أبوظبي, الشارقة:الشارقة"),
    _list("شارع الشيخ زايد, شارع الوحدة, شارع المطار"),
    _list("شركة النور للتجارة, مؤسسة الخليج, مطعم الياسمين"),
    _names("محمد:mohammed فاطمة:fatima أحمد:ahmed ليلى:layla نور:noor"),
    _names("الحسن:alhassan المنصوري:almansoori خان:khan السيد:elsayed"),
)

PLACES = Weighted(
    (_NORWAY, 0.46),
    (_SWEDEN, 0.12),
    (_GERMANY, 0.1),
    (_POLAND, 0.09),
    (_BRITAIN, 0.07),
    (_STATES, 0.04),
    (_FRANCE, 0.04),
    (_UKRAINE, 0.03),
    (_GREECE, 0.02),
    (_JAPAN, 0.02),
    (_EMIRATES, 0.01),
)
"""The countries that contacts come from, for a company in Norway."""
