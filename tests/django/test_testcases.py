"""Jobs in the tests of a Django project: they see its rows, and are rolled back with them."""


def test_the_tests_of_a_project_pass(project):
    said = project.manage("test", "--noinput")
    assert "OK" in said
    assert "ResourceWarning" not in said
    assert "Destroying test database" in said


def test_the_migrations_are_those_of_the_models(project):
    assert "No changes detected" in project.manage("makemigrations", "--check")
