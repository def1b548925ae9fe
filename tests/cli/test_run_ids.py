import pytest

from continuable import App
from continuable.cli.run import derived_id

app = App()


@app.job(name="shop.jobs.load")
def load(job, *args, **kwargs): ...


def id_of(*args, job=load, **kwargs):
    return derived_id(job, job.plain_arguments(args, kwargs))


def test_the_same_call_has_the_same_id_in_every_process():
    assert id_of(1, "a", size=2) == "load-0de2a618c5"


@pytest.mark.parametrize("other", [id_of("1"), id_of(1, 2), id_of(n=1), id_of()])
def test_other_arguments_have_another_id(other):
    assert other != id_of(1)


def test_another_job_has_another_id():
    namesake = App().job(lambda job, n: None, name="blog.jobs.load")
    assert id_of(1, job=namesake) != id_of(1)
    assert id_of(1, job=namesake).startswith("load-")
