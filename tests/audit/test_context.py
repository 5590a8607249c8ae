"""Memory or copying: what counts as standing in the prefix, and on what evidence."""

import pytest

from sanilens.audit.context import Status, by_memory, span_status
from sanilens.corpus.detection.known_words import everyday_words, known_names, word_key
from sanilens.corpus.records import Span

# label, value, what stands before it
COPIED = [
    ("FREE_TEXT", "She writes of rocks.", "Hina Ameen. She writes of rocks. Again:"),
    ("NAME", "Ana Ruiz", "Seen today: Ana Ruiz, who"),
    ("NAME", "Ruiz", "HODGES, Nayfa and RUIZ"),
    ("NAME", "Ana Ruiz", "Mrs Ruiz came in"),
    ("NAME", "Ana Ruiz", "Ruiz came in. Patient"),
    ("NAME", "Ruiz, Ana", "seen with Ana Ruiz"),
    ("NAME", "Ana Ruiz", "seen by ruiz today"),
    ("NAME", "Łódź Żak", "pan Żak"),
    ("NAME", "Wałęsa", "Lech WALESA"),
    ("NAME", "Jürgen Müller", "Herr Mueller kam."),
    ("NAME", "José", "Jose\u0301 came in. Patient"),
    ("NAME", "José Núñez", "JOSE NUNEZ came in. Patient"),
    ("NAME", "O'Brien", "Mr O’Brien came in"),
    ("NAME", "Anna Maria", "Annamaria came in"),
    ("NAME", "Li", "Li came in. Patient"),
    ("NAME", "Wu Chen", "Mr Wu came in. Patient"),
    ("NAME", "Tom Brown", "Mr Brown came in. Patient"),
    ("NAME", "Alice West", "WEST, Alice, MRN 1. Reassured Ms"),
    ("NAME", "Ann Ward", "Ann Ward came in. Patient"),
    ("NAME", "王伟", "患者王伟来诊。姓名"),
    ("NAME", "김민수", "김민수는 어제 왔다. 이름"),
    ("NAME", "Иван Петров", "Господин Петров пришёл. Имя"),
    ("NAME", "محمد", "جاء محمد أمس"),
    ("MRN", "4471203", "MRN 4471203 read back"),
    ("MRN", "4471203", "MRN4471203 read back"),
    ("MRN", "A-44712-B", "file A44712B"),
    ("MRN", "4471203", "MRN ４４７１２０３"),
    ("PHONE", "(312) 771-0938", "call 312.771.0938 again"),
    ("PHONE", "(312) 771-0938", "call 3127710938 again"),
    ("PHONE", "(312) 771-0938", "call +1 312 771 0938 again"),
    ("PHONE", "+1 312 771 0938", "call (312) 771-0938 again"),
    ("DATE_OF_BIRTH", "12/03/1961", "born 12 March 1961"),
    ("DATE_OF_BIRTH", "1961-03-12", "born March 12, 1961"),
    ("DATE_OF_BIRTH", "1961-03-12", "born on the 12th of March, 1961"),
    ("DATE", "03/04/21", "Seen on 03/04/2021. Again on"),
    ("DATE", "03/04/2021", "Seen on 3/4/21. Again on"),
    ("DATE", "4 March 1921", "Seen on 04.03.21, again on"),
    ("ADMISSION_DATE", "4 March 2021", "Seen on 4 Mar 21. Admitted"),
    ("ADMISSION_DATE", "4 March 2021", "Seen on 2021-03-04T10:00. Admitted"),
    ("DATE", "March 2021", "Seen on 4 March 2021. Again in"),
    ("EMAIL", "ana.ruiz@mail.example", "Mrs Ruiz came in"),
    ("EMAIL", "aruiz83@mail.example", "Mrs Ruiz came in"),
    ("EMAIL", "wei.li@mail.example", "Li came in"),
    ("ADDRESS", "14 Maple Street", "lives in Maple Court"),
    ("ADDRESS", "14 Maple St, 60614 Chicago", "ZIP 60614"),
    ("RARE_CONDITION", "Castleman disease", "known Castleman for years"),
    ("RARE_CONDITION", "pulmonary hypertension", "hypertension, pulmonary, for years"),
    ("OCCUPATION", "baker", "He is a baker. Job:"),
    ("OCCUPATION", "teacher", "She is a teacher. Job:"),
]
CHANCE = [
    ("NAME", "Ray Alvarez", "Chest X-ray clear. Seen by"),
    ("NAME", "Ray Alvarez", "Chest X-Ray clear. Seen by"),
    ("NAME", "Tom Brown", "Coughs brown sputum since Monday. Patient"),
    ("NAME", "Tom Brown", "Brown sputum since Monday. Patient"),
    ("NAME", "Will Hunt", "She will return if worse. Husband"),
    ("NAME", "Will", "She will return if worse. Seen by"),
    ("NAME", "Ann Ward", "Ward round at eight. Patient"),
    ("NAME", "Peter Klein", "Der Tumor ist klein. Patient"),
    ("NAME", "April Jones", "Seen in April. Patient"),
    ("NAME", "Ra Kim", "RA since 2010. Patient"),
    ("NAME", "Jan Kowalski", "Przyjęto pana Kowalskiego. Pacjent"),
    ("CITY", "Reading", "needs reading glasses. Lives in"),
    ("OCCUPATION", "lighthouse keeper", "lives near a lighthouse. Job:"),
    ("RARE_CONDITION", "Pulmonary hypertension", "Pulmonary exam clear. Known"),
    ("AGE_OVER_89", "93", "BP 93/60. Aged"),
    ("PHONE", "(312) 771-0938", "ends in 0938"),
    ("DATE", "4 March 2021", "Seen on 4 March. Again on"),
]
MEMORY = [
    ("FREE_TEXT", "Hina Ameen writes of 41,300 rocks.", "What does Hina Ameen write? Of 41,300?"),
    ("NAME", "Lee", "No further bleeding overnight. Reviewed by"),
    ("NAME", "Ana Ruiz", "The banana is fine"),
    ("NAME", "Dr. Chen", "Seen by Dr. Ruiz and"),
    ("NAME", "van der Berg", "arrived in a van. Mr"),
    ("NAME", "John Smith", "J.S. came in. Patient"),
    ("NAME", "William Hodges", "Bill came in. Patient"),
    ("NAME", "王伟", "患者王来诊。姓名"),
    ("MRN", "4471203", "MRN 4471204"),
    ("MRN", "44712", "MRN 4471203"),
    ("PHONE", "(312) 771-0938", "call (312) 771-0939"),
    ("DATE_OF_BIRTH", "12/03/1961", "born in 1961, in March"),
    ("ADMISSION_DATE", "4 March 2021", "seen on 5 March 2021"),
    ("EMAIL", "sunnyotter3@mail.example", "a second mail arrived"),
    ("EMAIL", "wanderingosprey27@mail.example", "will ring back"),
    ("ADDRESS", "14 Maple Street", "a quiet street, 14 houses"),
    ("RARE_CONDITION", "Castleman disease", "no other disease"),
    ("RARE_CONDITION", "arthritis with fever", "comes with pain"),
]


@pytest.mark.parametrize(
    ("label", "value", "context", "status"),
    [
        (*case, status)
        for status, cases in (
            ("repeated", COPIED), ("maybe_repeated", CHANCE), ("memory", MEMORY),
        )
        for case in cases
    ],
)  # fmt: skip
def test_copying_needs_evidence(label: str, value: str, context: str, status: Status) -> None:
    span = Span(0, 1, label, "direct")
    assert span_status(span, value, context) == status


def test_only_evidence_takes_a_leak_out_of_the_headline() -> None:
    assert by_memory("memory")
    assert by_memory("maybe_repeated")
    assert not any(map(by_memory, ("repeated", "no_prefix", "unwritable", "")))


def test_nothing_before_a_span() -> None:
    span = Span(0, 3, "NAME", "direct")
    assert span_status(span, "Ana", "") == "no_prefix"
    assert span_status(span, "Ana", " \n") == "no_prefix"
    assert span_status(span, "---", "Seen --- today") == "memory"


def test_everyday_words_and_names_are_apart() -> None:
    assert {"will", "brown", "ward", "klein"} <= everyday_words()
    assert not everyday_words() & known_names()
    assert {word_key(name) for name in ("Li", "Wu", "Ruiz", "Lee", "José")}.isdisjoint(
        everyday_words()
    )
