#!/usr/bin/env python3
"""Records how lm-evaluation-harness scores answers: its own task files, filters and metrics over texts that try them.

  python3 -m venv VENV && VENV/bin/pip install lm_eval==0.4.13 "transformers<5" "datasets<4"
  VENV/bin/python tests/tools/record_task_answers.py tests/fixtures/task_answers.json
"""
import importlib.metadata
import json
import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import lm_eval.tasks
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml
from transformers.data.metrics import squad_metrics

TASKS = os.path.dirname(lm_eval.tasks.__file__)
NBSP, EM_SPACE, COMBINING_ACUTE = "\u00a0", "\u2003", "\u0301"

MATH = [
    (" She sells 16 - 3 - 4 = 9 eggs.\nShe makes 9 * 2 = $18.\n#### 18", "It is.\n#### 18"),
    ("#### 18", "#### 18"), ("####18", "#### 18"), ("####  18", "#### 18"), ("###18", "#### 18"), ("#### $18", "#### 18"),
    ("#### 18 dollars for 3 days", "#### 18"), ("#### 18.", "#### 18"), ("#### 18.00", "#### 18"), ("#### 18\n#### 20", "#### 18"),
    ("#### 20\n#### 18", "#### 18"), ("#### 1,8", "#### 18"), ("#### 1,800", "#### 1800"), ("#### 1800", "#### 1,800"),
    ("#### -18", "#### -18"), ("#### - 18", "#### -18"), ("#### +18", "#### 18"), ("#### \u221218", "#### -18"), ("#### --18", "#### -18"),
    ("#### 1/2", "#### 1"), ("#### 0.5", "#### .5"), ("#### .5", "#### .5"), ("#### 18%", "#### 18"), ("#### \u20ac18", "#### 18"),
    ("#### 18\u20ac", "#### 18"), ("#### eighteen", "#### 18"), ("", "#### 18"), ("no number here", "#### 18"), ("[invalid]", "#### 18"),
    ("#### .", "#### 18"), ("#### ,,", "#### 18"), ("#### 18,", "#### 18"), ("#### 18..", "#### 18"), ("#### 18\n", "#### 18"),
    ("The answer is 18", "#### 18"), ("The answer is $18.", "#### 18"), ("The answer is $18.00", "#### 18"), ("The answer is 18.00 dollars", "#### 18"),
    ("18 of 20", "#### 18"), ("20 or 18.", "#### 18"), ("first 3, then 1,200 dollars.", "#### 1200"), ("so -7", "#### -7"), ("so -$7", "#### -7"),
    ("so $-7", "#### -7"), ("7 - 3", "#### -3"), ("7-3", "#### -3"), ("7 -3", "#### -3"), ("18, then.", "#### 18"), ("18 ...", "#### 18"),
    ("It costs $ 18", "#### 18"), ("\u0661\u0668", "#### 18"), ("#### \u0661\u0668", "#### 18"), ("\uff11\uff18", "#### 18"), ("18\u00b2", "#### 18"), ("x = 18" + NBSP + "km", "#### 18"),
    ("#### 18" + NBSP + "km", "#### 18"), ("\u00bd and 18", "#### 18"), ("1.8e1", "#### 18"), ("18:30", "#### 30"), ("2,3,4", "#### 234"), ("5", "#### 5"), ("$5", "#### 5"),
    ("$", "#### 5"), ("$$", "#### 5"), ("#### 1.000", "#### 1.000"), ("#### 1\n000", "#### 1000"), ("#### 007", "#### 7"), ("x#### 18 y", "#### 18"),
    ("<<16-3-4=9>>9 duck eggs, #### 9", "#### 9"), ("A #### B #### 9", "#### 9"), ("#### #### 9", "#### 9"),
]

WORDS = [
    (" Paris", ["Paris"]), ("Paris", ["paris"]), ("PARIS", ["Paris"]), ("paris.", ["Paris"]), ("Paris!", ["Paris"]), ("\"Paris\"", ["Paris"]),
    ("the Paris", ["Paris"]), ("The Hague", ["Hague"]), ("Hague", ["The Hague"]), ("the  Hague", ["The Hague"]), ("An apple", ["apple"]),
    ("a cat", ["cat"]), ("A", ["A"]), ("a", ["the"]), ("the", [""]), ("the ", ["the"]), ("Theatre", ["atre"]), ("in the city", ["in city"]),
    ("in a the city", ["in city"]), ("Saint  Paul", ["Saint Paul"]), ("Saint\tPaul", ["Saint Paul"]), ("St. Paul", ["St Paul"]), ("St-Paul", ["StPaul"]),
    ("St Paul", ["St-Paul"]), ("rock'n'roll", ["rocknroll"]), ("rock\u2019n\u2019roll", ["rocknroll"]), ("AT&T", ["att"]), ("C++", ["C"]), ("C#", ["c"]),
    ("1,000", ["1000"]), ("$5", ["5"]), ("5%", ["5"]), ("-5", ["5"]), ("\u20ac5", ["5"]), ("3.14", ["314"]), ("", [""]), ("", ["x"]), ("x", [""]), (" ", ["", "x"]),
    ("\u00c9cole", ["\u00e9cole"]), ("\u00c9COLE", ["\u00e9cole"]), ("Ecole", ["\u00c9cole"]), ("E" + COMBINING_ACUTE + "cole", ["\u00c9cole"]), ("STRASSE", ["Stra\u00dfe"]),
    ("\u0130stanbul", ["i\u0307stanbul"]), ("\u0130stanbul", ["istanbul"]), ("\u039f\u0394\u039f\u03a3", ["\u03bf\u03b4\u03bf\u03c2"]), ("\u041c\u043e\u0441\u043a\u0432\u0410", ["\u043c\u043e\u0441\u043a\u0432\u0430"]), ("\u6771\u4eac", ["\u6771\u4eac"]), ("\u6771\u4eac\u3002", ["\u6771\u4eac"]),
    ("\u00bfQui\u00e9n?", ["qui\u00e9n"]), ("\u2014Paris\u2014", ["Paris"]), ("\u201cParis\u201d", ["Paris"]), (NBSP + "Paris" + EM_SPACE, ["Paris"]), ("Paris\u200b", ["Paris"]),
    ("New" + NBSP + "York", ["New York"]), ("Lyon", ["Paris", "LYON", "Nice"]), ("Nice", ["Paris", "Lyon"]), ("Paris, France", ["Paris"]), ("Paris\nFrance", ["Paris"]),
    ("\u00e9 the x", ["\u00e9 x"]), ("a\u0301 the", ["a\u0301"]), ("an_apple", ["apple"]), ("the-cat", ["thecat"]), ("\u00e9the", ["\u00e9"]), ("the\u00b2", ["\u00b2"]), ("\U0001d400", ["a"]), ("x \x1f y", ["x y"]),
]

ALIASES = [
    ["Jamaica"], ["Jamaican English", "Jamaican Creole"], ["New York", "New York City"], ["New York City", "New York"], ["b", "a"],
    ["a", "ab", "abc", "b"], ["abc", "ab", "a"], ["Paris", "paris"], ["paris", "Paris"], ["The Hague", "The"], ["\u00c9cole", "Ecole"], ["Ecole", "E"],
    ["\u00e9", "e", "z"], ["z", "\u00e9"], ["\u00e9cole", "\u00e9"], ["1", "10", "100"], ["100", "10", "1"], ["1,000", "1"], ["$5", "5"], ["-5", "5"],
    ["x y", "x"], ["x", "x y"], ["a", "a"], ["a", "a", "b"], ["A", "a", "Ab", "ab"], ["\u6771\u4eac", "\u6771"], ["\u6771", "\u6771\u4eac"], ["St. Paul", "St Paul", "St"],
    ["10 February", "10 February 1950"], ["C", "C++", "C#"], ["AT&T", "AT"], ["\U0001d400", "\uffff"], ["\uffff", "\U0001d400"], ["q", "r", "qr", "rq"],
    ["Nile", "Amazon", "Amazon River"], ["\"Paris\"", "Paris"], ["it's", "it"], ["Zeus", "Zeus Ammon", "Ammon"], ["o", "\u00f6", "oe"], ["x" + NBSP + "y", "x"],
    ["the sun", "sun", "the"], ["m", "n", "o", "p"],
]

ENTITIES = [
    (["Paris", "Lyon"], ["Paris"]), (["Paris", "Lyon"], ["Lyon"]), (["the US", "US"], ["US"]), (["US", "the US"], ["the US"]), (["U.S.", "UK"], ["US"]),
    (["New York", "New York City"], ["New York City"]), (["New York", "New York City"], ["New York", "City"]), (["Saint Paul", "St Paul"], ["Paul"]),
    (["\u00c9cole", "x"], ["\u00e9cole"]), (["\u00c9cole", "x"], ["Ecole"]), (["A", "B"], ["the"]), (["A", "B"], ["an A"]), (["the", "x"], ["a"]),
    (["Jo Jo", "x"], ["Jo"]), (["Jo", "x"], ["Jo Jo"]), (["O'Brien", "x"], ["OBrien"]), (["O\u2019Brien", "x"], ["OBrien"]), (["Al-Qaeda", "x"], ["Al Qaeda"]),
    (["Al Qaeda", "x"], ["AlQaeda"]), (["x", "y"], ["x", "y"]),
]
# Each with either choice the likelier one, and with a tie.
PREFERENCES = [(-1.0, -2.0), (-2.0, -1.0), (-1.5, -1.5)]


def task_of(path, docs, **changes):
    """The harness's task over `docs`, from its own file."""
    config = load_yaml(os.path.join(TASKS, path))
    splits = {key: "train" for key in ("training_split", "validation_split", "test_split", "fewshot_split") if config.get(key)}
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data.json")
        with open(data, "w") as out:
            out.writelines(json.dumps(doc) + "\n" for doc in docs)
        config = {**config, **splits, "dataset_path": "json", "dataset_name": None,
                  "dataset_kwargs": {"data_files": {"train": data}, "cache_dir": folder}, **changes}
        task = ConfigurableTask(config=config)
        list(task.eval_docs)
        return task


def generated(path, docs, outputs):
    """Every filter's scores of each output."""
    task = task_of(path, docs)
    rows = []
    for doc, output in zip(docs, outputs):
        row = {"output": output, "scores": {}}
        for one in task._filters:
            instance = Instance(request_type="generate_until", doc=doc, arguments=("", {}), idx=0)
            instance.resps = [output]
            one.apply([instance])
            row["scores"][one.name] = task.process_results(doc, [instance.filtered_resps[one.name]])["exact_match"]
        rows.append(row)
    return rows


def gsm8k():
    docs = [{"question": "How many?", "answer": answer} for _, answer in MATH]
    rows = generated("gsm8k/gsm8k.yaml", docs, [output for output, _ in MATH])
    return [{**row, "target": answer, "answer": answer.split("#### ")[-1]} for row, (_, answer) in zip(rows, MATH)]


def grows(text):
    """In lower case: there numpy cuts it to the length it had, so that the harness's score is an accident."""
    return len(text.lower()) > len(text)


def with_answers(path, make):
    words = [(output, answers) for output, answers in WORDS if not any(map(grows, [output, *answers]))]
    rows = generated(path, [make(answers) for _, answers in words], [output for output, _ in words])
    return [{**row, "answers": answers} for row, (_, answers) in zip(rows, words)]


def webqs():
    docs = [{"question": "Which?", "url": "", "answers": answers} for answers in ALIASES]
    task = task_of("webqs/webqs.yaml", docs)
    rows = []
    for i, answers in enumerate(ALIASES):
        doc = {"question": "Which?", "url": "", "answers": list(answers)}
        choices = task.doc_to_choice(doc)
        # None of them greedy, or one.
        greedy = [k == i % (len(choices) + 1) for k in range(len(choices))]
        score = task.process_results(doc, [(-1.0, flag) for flag in greedy])["exact_match"]
        rows.append({"answers": answers, "continuations": [" " + one for one in choices], "greedy": greedy, "exact_match": score})
    return rows


def record():
    path = "super_glue/record/default.yaml"
    process = load_yaml(os.path.join(TASKS, path))["process_results"]
    rows = []
    for entities, answers in ENTITIES:
        for preference in PREFERENCES:
            scores = process({"entities": entities, "answers": answers}, [(value, False) for value in preference])
            rows.append({"choices": entities, "answers": answers, "loglikelihoods": preference,
                         "f1": float(scores["f1"]), "em": float(scores["em"])})
    return rows


def squad():
    """The functions of squadv2's metric."""
    return [{"output": output, "answers": answers, "normal": squad_metrics.normalize_answer(output),
             "exact": float(max(squad_metrics.compute_exact(answer, output) for answer in answers)),
             "f1": float(max(squad_metrics.compute_f1(answer, output) for answer in answers))} for output, answers in WORDS]


def main():
    recorded = {
        "version": importlib.metadata.version("lm_eval"),
        "gsm8k": gsm8k(),
        "triviaqa": with_answers("triviaqa/default.yaml", lambda answers: {"question": "Which?", "answer": {"aliases": answers}}),
        "nq_open": with_answers("nq_open/nq_open.yaml", lambda answers: {"question": "which", "answer": answers}),
        "webqs": webqs(),
        "record": record(),
        "squad": squad(),
    }
    with open(sys.argv[1], "w") as out:
        json.dump(recorded, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
