"""The four steps as a DBOS workflow with its system database in SQLite."""

import sys
import time
from pathlib import Path

from dbos import DBOS, DBOSConfig

import steps

config: DBOSConfig = {
    "name": "four-steps",
    "system_database_url": f"sqlite:///{Path.home() / 'dbos.sqlite'}",
}
DBOS(config=config)

list_documents = DBOS.step()(steps.list_documents)
run_echo = DBOS.step()(steps.run_echo)
write_answer = DBOS.step()(steps.write_answer)
edit_document = DBOS.step()(steps.edit_document)


@DBOS.workflow()
def four_steps() -> list[dict[str, str]]:
    documents = list_documents()
    answer = run_echo()
    write_answer(answer)
    edit_document()
    return documents


DBOS.launch()
start = time.perf_counter()
documents = four_steps()
seconds = time.perf_counter() - start
steps.report(documents, seconds)
# Every step is in the database by now, and the example of DBOS's reference ends here. Destroying DBOS first also
# waits for its queue threads, which look up once a second; the bench shows that apart.
if "--destroy" in sys.argv:
    DBOS.destroy()
