"""What an ONNX file computes: its inputs, outputs, operators and weights."""

from models_hub.headers.onnx import Broken, Graph, TooLong
from models_hub.viewers import tensors
from models_hub.viewers.reading import PlaceReader, TooMuch
from models_hub.viewers.shown import Place, Shown
from models_hub.viewers.tensors import Row

MAX_READ = 100_000_000


def model(place: Place) -> Shown | None:
    """Show a summary of the graph; None for a file that is none."""
    graph = Graph(PlaceReader(place, MAX_READ), place.entry.size)
    is_whole = True
    try:
        graph.read()
    except (TooLong, TooMuch):
        is_whole = False
    except Broken:
        return None
    if not graph.is_there:
        return None
    rows = [Row(one.name, one.dtype, one.shape, one.elements, one.size) for one in graph.weights]
    names = {row.name for row in rows}
    about = {
        "producer": " ".join(graph.producer),
        "ir": graph.ir,
        "opsets": graph.opsets,
        "operators": graph.operators.most_common(),
        "nodes": sum(graph.operators.values()),
        # Before version 4 the weights were named among the inputs.
        "inputs": [port for port in graph.inputs if port.name not in names],
        "outputs": graph.outputs,
        "is_whole": is_whole,
        "tensors": tensors.view(rows, place.asked) if rows else None,
    }
    return Shown("onnx", about)
