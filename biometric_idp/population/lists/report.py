"""Reports of imports, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from biometric_idp.population.lists.repository import StoredList
from biometric_idp.population.lists.service import ImportReport, Outcome
from biometric_idp.population.lists.texts import LANGUAGES, reject_text
from biometric_idp.population.pin import mask_pin
from biometric_idp.population.text import escape

_OUTCOMES = {
    Outcome.ACCEPTED: {"ky": "кабыл алынды", "ru": "принят", "en": "accepted"},
    Outcome.UNCHANGED: {
        "ky": "өзгөрүү жок: бул файл мурда кабыл алынган",
        "ru": "без изменений: этот файл уже принят",
        "en": "unchanged: this very file was accepted before",
    },
    Outcome.REJECTED: {
        "ky": "кабыл алынган жок, эч нерсе сакталган жок: төмөнкү саптарды оңдоо керек",
        "ru": "не принят, ничего не сохранено: нужно исправить строки ниже",
        "en": "not accepted, nothing was stored: the lines below have to be put right",
    },
}
_WORDS = {
    "list": {"ky": "Тизме", "ru": "Список", "en": "List"},
    "line": {"ky": "сап", "ru": "строка", "en": "line"},
    "see": {"ky": "кара: сап", "ru": "см. строку", "en": "see line"},
    "voters": {"ky": "шайлоочулар", "ru": "избиратели", "en": "voters"},
    "merged": {"ky": "бириктирилген", "ru": "объединены", "en": "merged"},
    "rejected": {"ky": "четке кагылган саптар", "ru": "отклонённые строки", "en": "rejected lines"},
    "signed": {"ky": "кол койгон", "ru": "подписан", "en": "signed by"},
    "message": {"ky": "билдирүү", "ru": "сообщение", "en": "message"},
    "added": {"ky": "кошулду", "ru": "добавлены", "en": "added"},
    "removed": {"ky": "чыгарылды", "ru": "исключены", "en": "removed"},
    "changed-unit": {"ky": "участогу өзгөрдү", "ru": "изменён участок", "en": "reporting unit changed"},
    "changed-details": {"ky": "маалыматы өзгөрдү", "ru": "изменены данные", "en": "details changed"},
}


def report_json(report: ImportReport, *, show_pins: bool) -> dict[str, object]:
    """The report as JSON: rejects with their sentences in every language. PINs are masked unless asked for."""
    header = report.header
    return {
        "outcome": report.outcome.value,
        "election": header.election,
        "number": header.number,
        "kind": header.kind.value,
        "message_id": header.message_id,
        "issued": _time(header.issued),
        "sha256": report.sha256,
        "signer": report.signer,
        "entries": header.entries,
        "voters": report.voters,
        "merged": report.merged,
        "rejected": report.rejected,
        "reject_counts": dict(report.reject_counts),
        "rejects": [
            {
                "line": item.line, "code": item.code, "field": item.field, "other_line": item.other,
                "text": {language: reject_text(item.code, language) for language in LANGUAGES},
            }
            for item in report.rejects
        ],
        "changes": {
            name: {"count": count, "pins": [pin if show_pins else mask_pin(pin) for pin in pins]}
            for name, (count, pins) in report.changes.items()
        },
    }  # fmt: skip


def report_lines(report: ImportReport, language: str, *, show_pins: bool, most: int = 200) -> Iterator[str]:
    """The report for people, at most ``most`` rejects and PINs of each kind."""
    header = report.header
    word = {name: texts[language] for name, texts in _WORDS.items()}
    yield f"{word['list']} {header.number} ({header.kind}, {header.election}): {_OUTCOMES[report.outcome][language]}"
    yield f"  {word['message']} {header.message_id}, {_time(header.issued)}; {word['signed']} {report.signer}"
    yield f"  SHA-256 {report.sha256}"
    yield f"  {word['voters']} {report.voters}, {word['merged']} {report.merged}, {word['rejected']} {report.rejected}"
    for name, (count, pins) in report.changes.items():
        shown = ", ".join(pin if show_pins else mask_pin(pin) for pin in pins[:most])
        yield f"  {word[name]}: {count}" + (f" ({shown}{', …' if count > len(pins[:most]) else ''})" if count else "")
    for code, count in report.reject_counts.items():
        yield f"  {count} × {code}: {reject_text(code, language)}"
    for item in report.rejects[:most]:
        place = f"{word['line']} {item.line}" + (f", {escape(item.field)}" if item.field else "")
        other = f" ({word['see']} {item.other})" if item.other else ""
        yield f"    {place}: {item.code}: {reject_text(item.code, language)}{other}"
    if sum(report.reject_counts.values()) > most:
        yield "    …"


def list_json(item: StoredList) -> dict[str, object]:
    return {
        "election": item.election, "number": item.number, "kind": item.kind.value, "message_id": item.message_id,
        "issued": _time(item.issued), "imported": _time(item.imported), "sha256": item.sha256, "signer": item.signer,
        "entries": item.entries, "voters": item.voters, "merged": item.merged, "rejected": item.rejected,
    }  # fmt: skip


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
