"""The four steps as a Prefect flow with the server that Prefect starts when none is configured, on SQLite."""

import time

from prefect import flow, get_client, task

import steps

# Results have to be kept, or a run that is tried again would repeat finished steps.
list_documents = task(persist_result=True)(steps.list_documents)
run_echo = task(persist_result=True)(steps.run_echo)
write_answer = task(persist_result=True)(steps.write_answer)
edit_document = task(persist_result=True)(steps.edit_document)


@flow(persist_result=True)
def four_steps() -> list[dict[str, str]]:
    documents = list_documents()
    answer = run_echo()
    write_answer(answer)
    edit_document()
    return documents


# The first client starts the server. It would be started in the flow otherwise; like this, the time of the flow is
# that beside a server which runs already.
with get_client(sync_client=True) as client:
    client.api_version()
    start = time.perf_counter()
    documents = four_steps()
    seconds = time.perf_counter() - start
steps.report(documents, seconds)
