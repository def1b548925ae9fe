"""What the workers of other engines import: the app of the site that their environment names."""

import os

from tests.chaos.crew import SITE
from tests.chaos.engines import APPS
from tests.chaos.jobs import add_imports
from tests.chaos.journal import Journal
from tests.chaos.places import Site

site = Site.from_json(os.environ[SITE])
engine, app = APPS[site.kind](site)
import_rows = add_imports(app, site.rows(), Journal(site.path))
