"""`ProgressStoreSuite`: what every `ProgressStore` must do."""

from __future__ import annotations

from continuable.conformance.stores.claims import ClaimSuite
from continuable.conformance.stores.endings import EndingSuite
from continuable.conformance.stores.requests import RequestSuite


class ProgressStoreSuite(ClaimSuite, EndingSuite, RequestSuite):
    """Subclass it, and give it the fixture `open_store`; and `transactions`, if it can commit."""
