"""SEC-10, where no request alone can bring it about: keys whose first request has not ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa

from authio.errors import Conflict
from authio.models import idempotency_records
from authio.services import Services

Begin = Callable[..., AbstractContextManager[Services]]
DIGEST = b"d" * 32


def test_SEC_10_a_key_without_an_answer_is_in_progress(services: Begin, project: Any, clock: Any) -> None:
    with services() as s:
        s.session.execute(
            sa.insert(idempotency_records).values(
                project_id=project.id, key="k", request_digest=DIGEST, created_at=clock.now()
            )
        )

    with services() as s, pytest.raises(Conflict) as refused:
        s.idempotency.claim(project.id, "k", DIGEST)

    assert refused.value.code == "idempotency_in_progress"
    assert refused.value.headers["Retry-After"] == "1"


def test_SEC_10_a_claim_that_is_rolled_back_leaves_the_key_free(services: Begin, project: Any) -> None:
    with services() as s:
        assert s.idempotency.claim(project.id, "k", DIGEST) is None
        s.session.rollback()

    with services() as s:
        assert s.idempotency.claim(project.id, "k", b"e" * 32) is None


def test_SEC_10_an_answer_sealed_for_one_key_does_not_open_under_another(
    services: Begin, project: Any
) -> None:
    from authio.crypto import Unsealable

    with services() as s:
        s.idempotency.claim(project.id, "k", DIGEST)
        s.idempotency.finish(
            project.id, "k", status=201, body=b'{"id":1,"token":"t"}', once=frozenset({"token"})
        )
        s.session.execute(sa.update(idempotency_records).values(key="other"))

    with services() as s, pytest.raises(Unsealable):
        s.idempotency.claim(project.id, "other", DIGEST)


if "AUTHIO_TEST_DATABASE" in os.environ:
    # SQLite has one writer: whoever is second waits where its transaction begins, and looks at no key.

    def test_SEC_10_a_wait_that_takes_too_long_is_in_progress(services: Begin, project: Any) -> None:
        with services() as first:
            first.idempotency.claim(project.id, "k", DIGEST)
            with services() as second:
                second.session.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
                with pytest.raises(Conflict) as refused:
                    second.idempotency.claim(project.id, "k", DIGEST)
                second.session.rollback()

        assert refused.value.code == "idempotency_in_progress"
