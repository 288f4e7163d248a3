"""The four steps as a langgraph graph. Each step's checkpoint is in SQLite before the next step starts."""

import time
import uuid
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

import steps


class State(TypedDict, total=False):
    documents: list[dict[str, str]]
    answer: dict
    written: str
    edited: str


graph = StateGraph(State)
graph.add_node("list", lambda state: {"documents": steps.list_documents()})
graph.add_node("run", lambda state: {"answer": steps.run_echo()})
graph.add_node("write", lambda state: {"written": steps.write_answer(state["answer"])})
graph.add_node("edit", lambda state: {"edited": steps.edit_document()})
graph.add_edge(START, "list")
graph.add_edge("list", "run")
graph.add_edge("run", "write")
graph.add_edge("write", "edit")
graph.add_edge("edit", END)

with SqliteSaver.from_conn_string(str(Path.home() / "langgraph.sqlite")) as checkpointer:
    app = graph.compile(checkpointer=checkpointer)
    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
    start = time.perf_counter()
    # "sync" is the most durable of langgraph's modes; the default, "async", writes while the next step runs.
    result = app.invoke({}, config, durability="sync")
    seconds = time.perf_counter() - start
steps.report(result["documents"], seconds)
