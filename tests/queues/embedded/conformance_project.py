"""What a worker of the conformance tests imports: an app on the embedded queue."""

import os

from continuable import App
from continuable.conformance.jobs import declare

app = App(f"sqlite:///{os.environ['CONTINUABLE_TEST_DATABASE']}")
declare(app, globals())
