"""The document that both sides parse."""

from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    """An order with a few articles."""

    order_id: str
    customer: str
    articles: list[str]
    total: float
    express: bool = False


BODY = '{"order_id": "o-17", "customer": "c-4", "articles": ["a", "b", "c"], "total": 12.5, "express": true}'
