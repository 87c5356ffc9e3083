//! Names of people who do not exist. The family names are invented: whoever meets one knows that the record is synthetic.

/// Family names that no telephone book has.
pub(crate) const FAMILY: [&str; 48] = [
    "Ashmock",
    "Bramsample",
    "Candidova",
    "Dummond",
    "Ejemplar",
    "Fauxley",
    "Fictorsen",
    "Gedacht",
    "Halbwahr",
    "Imagino",
    "Jestwell",
    "Kopiewicz",
    "Lorembach",
    "Mockford",
    "Mustermoor",
    "Nirgendwo",
    "Nobodýson",
    "Núñez-Ficción",
    "Ostensible",
    "Phantasmo",
    "Placeholt",
    "Prøvesen",
    "Quasimann",
    "Randomeyer",
    "Sampleby",
    "Seedling-Ngo",
    "Simulacruz",
    "Specimann",
    "Synthagen",
    "Tāmerli",
    "Templatova",
    "Testerman",
    "Testworth",
    "Ümlautsen",
    "Unrealey",
    "Vapourwood",
    "Virtualez",
    "Wahnbild",
    "Xamplopoulos",
    "Yesterfake",
    "Zeroth",
    "Zufallski",
    "Inventado",
    "Łudzik",
    "Mirageaux",
    "Ghostwick",
    "Paperstone",
    "Draftmoore",
];

/// Given names of women and girls.
pub(crate) const FEMALE: [&str; 36] = [
    "Aaliyah", "Ada", "Aïcha", "Amara", "Ana", "Beatriz", "Bích", "Carmen", "Chloë", "Dolores", "Elif",
    "Emma", "Fatima", "Grace", "Hannah", "Ingrid", "Jasmine", "Keisha", "Lakshmi", "Leilani", "Linh",
    "Lucía", "Mary", "Mei", "Naomi", "Nia", "Olga", "Priya", "Rosa", "Ruth", "Sofía", "Tanisha", "Thandiwe",
    "Wanda", "Ximena", "Zoë",
];

/// Given names of men and boys.
pub(crate) const MALE: [&str; 36] = [
    "Abdul", "Ahmed", "Andrés", "Arjun", "Björn", "Carlos", "Chidi", "Daniel", "DeShawn", "Diego", "Elijah",
    "Emeka", "Feng", "George", "Hiroshi", "Hüseyin", "Ian", "Jamal", "James", "José", "Kai", "Kwame", "Liam",
    "Luis", "Malik", "Mateo", "Minh", "Noah", "Oscar", "Pavel", "Rafael", "Samuel", "Tyrone", "Vikram",
    "Walter", "Yusuf",
];
