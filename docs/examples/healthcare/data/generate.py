"""Writes notes.json and truth.json: clinical notes of people who do not exist.

    python3 docs/examples/healthcare/data/generate.py [FOLDER]

Everything follows from the seed below: the same Python makes the same bytes, and a test compares them
with the files here. Names are made up and rare on purpose, telephone numbers are from the range that
is kept for fiction, mail addresses end in a name that exists nowhere. truth.json says for each note
what in it is protected and what may be shared; no function ever sees it, the tests do.
"""

import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path

SEED = 20240229
NOTES = 24

GIVEN = {
    "F": ["Ottoline", "Zéphyrine", "Wilhelmke", "Quintessa", "Brunhylda", "Theodosja", "Ysolde", "Perpetua"],
    "M": ["Quillon", "Bartholomäus", "Evander", "Ignatz", "Thaddeusz", "Osgood", "Leofwine", "Caspian"],
}
FAMILY = ["Vargassen", "Okonjowa", "Håkonsdal", "Fitzwarren", "Brzezicki", "Quenneville", "Tamblyn",
          "O'Shaughnevin", "Delacroixe", "Nakamurov", "Wyndhurst", "Abernethic"]
STREETS = ["Gallowglass Lane", "Pomander Street", "Thistledown Road", "Cooper's Alley", "Mulberrow Avenue"]
TOWNS = ["Nether Wexbury", "Port Aldermoor", "Saint Orrin", "Gildersleeve"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December"]
CONDITIONS = [
    ("I10", "essential hypertension", "lisinopril 10 mg", ["headache", "dizziness"], (142, 176)),
    ("E11.9", "type 2 diabetes", "metformin 500 mg", ["thirst", "fatigue"], (118, 150)),
    ("J45.9", "asthma", "salbutamol as needed", ["wheezing", "cough"], (108, 138)),
    ("M54.5", "low back pain", "ibuprofen 400 mg", ["stiffness", "fatigue"], (112, 144)),
]


def iso(day):
    return day.isoformat()


def long(day):
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def slashed(day):
    return f"{day.month:02}/{day.day:02}/{day.year}"


def note(number, rng):
    """One note: its text, and the truth about it."""
    sex = rng.choice("FM")
    given, family = rng.choice(GIVEN[sex]), rng.choice(FAMILY)
    relation, relative_sex = rng.choice([("daughter", "F"), ("son", "M"), ("wife", "F"), ("husband", "M")])
    relative = rng.choice([name for name in GIVEN[relative_sex] if name != given])
    doctor = rng.choice([name for name in FAMILY if name != family])
    visit = date(2023, 1, 9) + timedelta(days=rng.randrange(700))
    years = rng.choice([19, 27, 34, 45, 52, 58, 63, 71, 84, 93])
    birth = date(visit.year - years, 1, 1) + timedelta(days=rng.randrange(365))
    age = visit.year - birth.year - ((visit.month, visit.day) < (birth.month, birth.day))
    days = rng.choice([7, 14, 30, 90])
    back = visit + timedelta(days=days)
    number_of_record = f"MRN-{rng.randrange(10**7, 10**8)}"
    phone = f"({rng.randrange(201, 990)}) 555-01{rng.randrange(100):02}"
    zip_code = f"{rng.randrange(10000, 99999)}"
    street, town = f"{rng.randrange(11, 980)} {rng.choice(STREETS)}", rng.choice(TOWNS)
    mail = f"{family.lower().encode('ascii', 'ignore').decode().replace(chr(39), '')}{rng.randrange(10, 99)}@post.example"
    code, condition, drug, symptoms, pressures = rng.choice(CONDITIONS)
    symptom = rng.choice(symptoms)
    systolic = rng.randrange(*pressures)
    she, her, title = ("she", "her", "Ms.") if sex == "F" else ("he", "his", "Mr.")
    word = "woman" if sex == "F" else "man"
    style = rng.randrange(3)
    birth_text = (iso, long, slashed)[style](birth)
    visit_text = (long, slashed, iso)[style](visit)
    back_text = (slashed, iso, long)[style](back)

    head = f"Patient: {given} {family} ({number_of_record}), born {birth_text}. Seen on {visit_text} by Dr. {doctor}."
    contact = (f"Lives at {street}, {town}, {zip_code}; telephone {phone}, {mail}. "
               f"{her.capitalize()} {relation} {relative} may be told.")
    course = (f"This {word} reports {symptom} for three weeks. BP {systolic}/{systolic - 54}. Assessment: {condition}, {code}. "
              f"{title} {family} was started on {drug}, which {she} tolerates well.")
    plan = [f"{given} comes back on {back_text}, or calls Dr. {doctor} before.",
            f"Return visit: {back_text}. {relative} will drive.",
            f"We see {title} {family} again on {back_text}."][rng.randrange(3)]
    parts = [[head, course, contact, plan], [head, contact, course, plan]][rng.randrange(2)]
    text = "\n".join(parts)

    protected = {
        "NAME": [f"{given} {family}", given, family, relative, doctor],
        "RECORD": [number_of_record],
        "DATE": [birth_text, visit_text, back_text],
        "PHONE": [phone],
        "MAIL": [mail],
        "ADDRESS": [f"{street}, {town}, {zip_code}", street, town],
    }
    facts = {
        "age": "90 and over" if age >= 90 else f"{age // 10 * 10} to {age // 10 * 10 + 9}",
        "sex": sex,
        "region": zip_code[:3],
        "year": visit.year,
        "diagnosis": code,
        "systolic": systolic,
    }
    record = {"id": f"note-{number:02}", "text": text}
    truth = {"id": record["id"], "protected": protected, "facts": facts, "symptom": symptom, "return": days}
    return record, truth


def write(folder, name, documents):
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in documents)
    (folder / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main(folder):
    rng = random.Random(SEED)
    made = [note(number, rng) for number in range(1, NOTES + 1)]
    write(folder, "notes.json", [record for record, _ in made])
    write(folder, "truth.json", [truth for _, truth in made])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
