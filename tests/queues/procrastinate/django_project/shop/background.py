"""Where the App lives."""

from procrastinate.contrib.django import app as procrastinate_app

from continuable import App
from continuable.queues.procrastinate import ProcrastinateQueue

app = App(
    queue=ProcrastinateQueue(procrastinate_app),
    defaults={"resume_options": {"wait": 0.0}, "save_every": 0.05},
)
