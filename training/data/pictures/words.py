"""What stands in the pictures: training's words, and others that only the test has."""

from __future__ import annotations

SENTENCES = {
    "train": (
        (
            "The meeting starts at nine and ends before lunch.",
            "Please read the whole page before you sign it.",
            "Our shop is closed on the first Monday of every month.",
            "She wrote three letters and sent none of them.",
            "The river rises in spring when the snow melts.",
            "All parts of this report may be copied freely.",
            "Results of the second year were better than expected.",
            "A good map is worth more than a fast horse.",
            "Children under six travel free of charge.",
            "The old bridge was replaced by a tunnel in 1974.",
        ),
        (
            "Der Zug fährt heute von einem anderen Gleis.",
            "Bitte lesen Sie die Hinweise auf der Rückseite.",
            "Im Winter bleibt das Museum am Montag geschlossen.",
            "Wir freuen uns auf Ihren Besuch im Garten.",
            "Die Ergebnisse des Jahres stehen in der Tabelle.",
        ),
        (
            "Le train part chaque matin à huit heures.",
            "Veuillez fermer la porte après votre passage.",
            "Nous avons reçu votre lettre du mois de mars.",
            "La bibliothèque est ouverte tous les jours.",
            "Il pleut souvent dans cette région en automne.",
        ),
        (
            "La reunión empieza a las nueve de la mañana.",
            "No se permite fumar en todo el edificio.",
            "El río crece cuando llega la primavera.",
            "Gracias por su visita y hasta pronto.",
        ),
        (
            "Поезд отправляется с третьего пути в девять часов.",
            "Пожалуйста, закрывайте за собой дверь.",
            "Весной река поднимается выше моста.",
            "Магазин открыт каждый день до вечера.",
        ),
        (
            "会议上午九点开始，中午之前结束。",
            "请在签字之前阅读全部内容。",
            "春天雪化的时候河水会上涨。",
            "本店每月第一个星期一休息。",
        ),
        (
            "الاجتماع يبدأ في التاسعة صباحا.",
            "يرجى إغلاق الباب بعد الدخول.",
            "المكتبة مفتوحة كل يوم حتى المساء.",
        ),
    ),
    "test": (
        (
            "Every guest receives a key and a small lamp.",
            "Do not leave bags without anyone who watches them.",
            "The ferry crosses the lake four times a day.",
            "Two of the seven engines failed during the trial.",
            "Bread is baked here by hand since 1902.",
            "Write your number in the upper corner of this sheet.",
            "The committee thanks all who gave their time.",
            "Storms are likely along the coast tonight.",
        ),
        (
            "La riunione comincia alle dieci in punto.",
            "Si prega di chiudere la finestra la sera.",
            "Il lago è calmo quando non soffia il vento.",
            "Grazie a tutti per il vostro aiuto.",
        ),
        (
            "O comboio parte da outra linha amanhã.",
            "Não deixe a bagagem sem vigilância.",
            "A biblioteca fecha mais cedo no verão.",
        ),
        (
            "Pociąg odjeżdża dzisiaj z innego peronu.",
            "Proszę zamykać drzwi po wejściu.",
            "Wiosną rzeka jest szersza niż zwykle.",
        ),
        (
            "Η συνάντηση αρχίζει στις δέκα το πρωί.",
            "Παρακαλώ κλείστε την πόρτα όταν φεύγετε.",
            "Το μουσείο είναι ανοιχτό κάθε μέρα.",
        ),
        (
            "電車は朝八時に出発します。",
            "ドアを静かに閉めてください。",
            "図書館は毎日開いています。",
        ),
    ),
}
"""Sentences by language, English first."""

NOUNS = {
    "train": "market garden winter coffee report budget summer travel music library engine "
    "season project river network school harvest window station journal".split(),
    "test": "ferry lantern compass bakery orchard signal archive museum tunnel kettle "
    "festival harbor canyon ledger weather pioneer".split(),
}
NAMES = {
    "train": "Anna Ben Clara David Emma Felix Greta Henry Ida Jonas Kira Leo".split(),
    "test": "Marta Nils Olga Pavel Quinn Rosa Sven Tess Ugo Vera".split(),
}
NOTICES = {
    "train": "CLOSED|NO PARKING|WET FLOOR|SALE|EXIT|PLEASE WAIT HERE|DO NOT ENTER|FOR RENT|"
    "BEWARE OF DOG|OPEN|LOST CAT|NO SMOKING",
    "test": "PUSH|OUT OF ORDER|KEEP LEFT|STAFF ONLY|FREE ENTRY|QUIET PLEASE|FOR SALE|DANGER|"
    "MIND THE STEP|TICKETS",
}

THINGS = {
    "train": {
        "dog": "🐕",
        "cat": "🐈",
        "horse": "🐎",
        "fish": "🐟",
        "bird": "🐦",
        "cow": "🐄",
        "pig": "🐖",
        "sheep": "🐑",
        "elephant": "🐘",
        "penguin": "🐧",
        "turtle": "🐢",
        "snail": "🐌",
        "car": "🚗",
        "bus": "🚌",
        "bicycle": "🚲",
        "boat": "⛵",
        "train": "🚂",
        "truck": "🚚",
        "airplane": "✈",
        "house": "🏠",
        "tree": "🌳",
        "flower": "🌻",
        "apple": "🍎",
        "banana": "🍌",
        "cake": "🎂",
        "pizza": "🍕",
        "hamburger": "🍔",
        "cup": "☕",
        "book": "📖",
        "guitar": "🎸",
        "umbrella": "☂",
        "sun": "☀",
        "moon": "🌙",
        "heart": "❤",
        "star": "⭐",
        "key": "🔑",
        "phone": "📱",
        "camera": "📷",
        "shoe": "👞",
        "soccer ball": "⚽",
    },
    "test": {
        "whale": "🐳",
        "dolphin": "🐬",
        "monkey": "🐒",
        "rabbit": "🐇",
        "rooster": "🐓",
        "duck": "🦆",
        "tiger": "🐅",
        "snake": "🐍",
        "octopus": "🐙",
        "bee": "🐝",
        "butterfly": "🦋",
        "rocket": "🚀",
        "helicopter": "🚁",
        "tractor": "🚜",
        "motorcycle": "🏍",
        "tent": "⛺",
        "mushroom": "🍄",
        "cactus": "🌵",
        "strawberry": "🍓",
        "grapes": "🍇",
        "lemon": "🍋",
        "pineapple": "🍍",
        "violin": "🎻",
        "trumpet": "🎺",
        "bell": "🔔",
        "pencil": "✏",
        "envelope": "✉",
        "light bulb": "💡",
        "shirt": "👕",
        "crown": "👑",
    },
}
"""What icons and drawings show, and the character that a font draws it by."""
ANIMALS = frozenset(
    "dog cat horse fish bird cow pig sheep elephant penguin turtle snail whale dolphin monkey "
    "rabbit rooster duck tiger snake octopus bee butterfly".split()
)
ABSENT = (
    "dog|cat|horse|car|bus|bicycle|boat|train|tree|person|man|woman|child|ball|bird|beach|mountain|"
    "bench|table|chair|hat|bed|cup|bottle|street"
).split("|")
"""What photos are asked for, and these pictures do not show."""
