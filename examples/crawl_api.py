"""Copy all articles of an API that hands them out in pages: an async job.

    continuable enqueue examples/crawl_api.py crawl http://localhost:8000/articles
    continuable worker examples/crawl_api.py

The API answers `{"items": [{"id": 1, "title": "..."}, ...], "next": "token"}`, and takes the token
back as `?after=token`; the last page has no `next`.
"""

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from continuable import App, Job, Step
from continuable.sources import pages

DATABASE = "articles.db"

app = App()


# An error after some pages resumes behind the last one that was stored, a second later. One before
# any page was stored is a failure, and is tried again up to five times in a row.
@app.job(queue="crawls", resume_options={"wait": 1.0}, max_retries=5)
async def crawl(job: Job, url: str) -> int:
    async def fetch(token: str | None) -> tuple[list[Any], str | None]:
        answer = await asyncio.to_thread(get, url, token)
        return answer["items"], answer.get("next")

    @job.step
    async def store_articles(step: Step[dict[str, Any] | None]) -> int:
        async for articles in step.iterate(pages(fetch)):
            await asyncio.to_thread(store, articles)
        return step.done

    return await store_articles  # how many pages there were


def get(url: str, token: str | None) -> Any:
    query = f"?{urlencode({'after': token})}" if token else ""
    with urlopen(url + query, timeout=10) as response:
        return json.load(response)


def store(articles: list[dict[str, Any]]) -> None:
    """A page that is stored twice, since a worker died in between, changes nothing."""
    with closing(sqlite3.connect(DATABASE, timeout=30)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS articles (id INTEGER PRIMARY KEY, title)")
        connection.executemany("INSERT OR REPLACE INTO articles VALUES (:id, :title)", articles)
