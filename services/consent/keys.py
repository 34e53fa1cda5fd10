"""Data keys: one per (topic, subject, source agency, category) and, where a single record must be destroyable, record.

Handed out to seal; released to open only through the decision. Key ids are random, so nothing joins two topics.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from services.consent.kek import KEY_BYTES, KeyEncryption
from services.consent.models import DATA_KEYS, TOPIC_SECRETS

ROUTING = 0
"""Stands in the category's place for the routing section."""

_KEY_ID_BYTES = 16
# The parameters of one statement are bounded.
_MANY = 400
# In the order of `WrappedKey`, its place's columns in theirs.
_STORED = [
    DATA_KEYS.c[name]
    for name in ("key_id", "topic", "subject_id", "source_agency_id", "category", "record_id", "kek_id", "wrapped")
]


@dataclass(frozen=True)
class KeyPlace:
    """What a data key is for."""

    topic: str
    subject_id: str
    source_agency_id: str
    category: int
    record_id: str = ""


@dataclass(frozen=True)
class DataKey:
    """A data key in clear; never stored so, never logged."""

    key_id: bytes
    key: bytes
    place: KeyPlace

    def __repr__(self) -> str:
        return f"DataKey(key_id={self.key_id.hex()})"


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored. Most of those that are found are never released, so they stay wrapped."""

    key_id: bytes
    place: KeyPlace
    kek_id: str
    wrapped: bytes


class Keys:
    """Finds, makes and opens data keys inside a transaction of the caller."""

    def __init__(self, kek: KeyEncryption) -> None:
        """Wrap with this key-encryption key."""
        self._kek = kek

    def lease(self, connection: Connection, places: Sequence[KeyPlace], now: datetime) -> list[DataKey]:
        """Return one key per place, made where there was none. Needs a writing transaction."""
        there = {key.place: key for key in self._near(connection, places)}
        fresh = [self._fresh(place) for place in dict.fromkeys(places) if place not in there]
        if fresh:
            connection.execute(insert(DATA_KEYS), [self._row(key, now) for key in fresh])
        there.update((key.place, key) for key in fresh)
        return [there[place] for place in places]

    def find(self, connection: Connection, key_ids: Iterable[bytes]) -> dict[bytes, WrappedKey]:
        """Return the keys that still exist; a destroyed one is simply absent."""
        wanted = list(dict.fromkeys(key_ids))
        found: dict[bytes, WrappedKey] = {}
        for start in range(0, len(wanted), _MANY):
            query = select(*_STORED).where(DATA_KEYS.c.key_id.in_(wanted[start : start + _MANY]))
            found.update((row[0], _wrapped(row)) for row in connection.execute(query))
        return found

    def open(self, key: WrappedKey) -> DataKey:
        """Return the key in clear. Raises KeyError when the key-encryption key that it was wrapped with is gone."""
        return DataKey(key.key_id, self._kek.unwrap(key.kek_id, key.wrapped), key.place)

    def ids_of(self, connection: Connection, subject_ids: Iterable[str], topics: Iterable[str]) -> list[bytes]:
        """Return the ids of a subject's keys on some topics, without opening any."""
        query = select(DATA_KEYS.c.key_id).where(
            DATA_KEYS.c.subject_id.in_(list(subject_ids)),
            DATA_KEYS.c.topic.in_(list(topics)),
            DATA_KEYS.c.category != ROUTING,
        )
        return list(connection.execute(query).scalars())

    def pseudonyms(self, connection: Connection, topic: str, subject_ids: Iterable[str]) -> list[bytes]:
        """Return HMAC-SHA-256 of each subject under the topic's secret: record key and `ce_subject` (EV-11)."""
        secret = self._topic_secret(connection, topic)
        return [hmac.digest(secret, subject.encode(), hashlib.sha256) for subject in subject_ids]

    def _topic_secret(self, connection: Connection, topic: str) -> bytes:
        row = connection.execute(select(TOPIC_SECRETS).where(TOPIC_SECRETS.c.topic == topic)).one_or_none()
        if row is not None:
            return self._kek.unwrap(row.kek_id, row.wrapped)
        secret = os.urandom(KEY_BYTES)
        values = {"topic": topic, "kek_id": self._kek.kek_id, "wrapped": self._kek.wrap(secret)}
        try:
            with connection.begin_nested():
                connection.execute(insert(TOPIC_SECRETS).values(values))
        except IntegrityError:
            return self._topic_secret(connection, topic)
        return secret

    def _near(self, connection: Connection, places: Sequence[KeyPlace]) -> Iterator[DataKey]:
        """Yield the keys of these places that there are."""
        wanted = set(places)
        subjects = sorted({place.subject_id for place in places})
        of_topics = DATA_KEYS.c.topic.in_(sorted({place.topic for place in places}))
        for start in range(0, len(subjects), _MANY):
            some = DATA_KEYS.c.subject_id.in_(subjects[start : start + _MANY])
            for row in connection.execute(select(*_STORED).where(of_topics, some)):
                key = _wrapped(row)
                if key.place in wanted:
                    yield self.open(key)

    def _fresh(self, place: KeyPlace) -> DataKey:
        return DataKey(os.urandom(_KEY_ID_BYTES), os.urandom(KEY_BYTES), place)

    def _row(self, key: DataKey, now: datetime) -> dict[str, object]:
        return {
            "key_id": key.key_id,
            "topic": key.place.topic,
            "subject_id": key.place.subject_id,
            "source_agency_id": key.place.source_agency_id,
            "category": key.place.category,
            "record_id": key.place.record_id,
            "kek_id": self._kek.kek_id,
            "wrapped": self._kek.wrap(key.key),
            "created_at": now,
        }


def _wrapped(row: Row[*tuple[Any, ...]]) -> WrappedKey:
    key_id, *place, kek_id, wrapped = row
    return WrappedKey(key_id, KeyPlace(*place), kek_id, wrapped)
