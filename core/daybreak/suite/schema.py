"""The JSON schema of a suite file, for completion and checking in editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybreak.suite.model import FORMATS, Suite
from daybreak.suite.settings import HistorySpec
from daybreak.suite.shape import BENCHMARK_KEYS, OPTIMIZER_KEYS

if TYPE_CHECKING:
    from daybreak.plugin.component import Component
    from daybreak.plugin.registry import Registry

__all__ = ["suite_schema"]

_NAME = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"}
_LABEL = {
    "type": "string",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._:=,-]{0,79}$",
    "description": "name of its own, shown in tables",
}
_EACH = {
    "type": "object",
    "description": "a matrix: every combination of these options' values is an entry of its own",
    "minProperties": 1,
    "additionalProperties": {"type": "array", "minItems": 1},
}
_PATTERNS = {
    "description": "run it only on benchmarks that fit, e.g. taco/*",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
_THRESHOLDS = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "description": "factor of the reference"},
            {"type": "array", "minItems": 1, "items": {"type": "number", "exclusiveMinimum": 0}},
            {"$ref": "#/$defs/ThresholdSpec"},
            {"type": "null", "description": "takes back a threshold of the whole suite"},
        ]
    },
}
_SEEDS: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 10_000},
        {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "integer", "minimum": 0},
        },
    ]
}


def suite_schema(registry: Registry | None = None) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a suite file.

    Args:
        registry: if given, the schema also knows the registered targets' and optimizers' names
            and options.
    """
    schema = Suite.model_json_schema(mode="validation")
    for definition in ("BenchmarkEntry", "OptimizerEntry"):
        schema["$defs"].pop(definition, None)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Daybreak suite"
    schema["description"] = "Benchmarks x optimizers x seeds, with a budget and a protocol."
    for definition in schema["$defs"].values():
        _untitled(definition)
    properties = schema["properties"]
    properties["suite"] = {
        "enum": list(FORMATS),
        "description": properties["suite"]["description"],
    }
    properties["name"] = {**_NAME, "description": properties["name"]["description"]}
    properties["seeds"] = {
        "description": properties["seeds"]["description"],
        **_SEEDS,
        "default": 1,
    }
    schema["$defs"]["ProtocolSpec"]["properties"]["repeats"] = _repeats(schema)
    schema["$defs"]["ProtocolSpec"]["properties"]["hopeless"] = {
        **_described(schema["$defs"]["ProtocolSpec"]["properties"]["hopeless"]),
        "anyOf": [{"type": "number", "minimum": 1}, {"const": "never"}, {"type": "null"}],
    }
    schema["$defs"]["ProtocolSpec"]["properties"]["warmup"] = {
        **_described(schema["$defs"]["ProtocolSpec"]["properties"]["warmup"]),
        "anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 0}],
    }
    schema["$defs"]["ThresholdSpec"]["properties"]["value"] = {
        **_described(schema["$defs"]["ThresholdSpec"]["properties"]["value"]),
        "anyOf": [
            {"type": "number"},
            {"type": "array", "minItems": 1, "items": {"type": "number"}},
        ],
    }
    schema["$defs"]["Thresholds"] = _THRESHOLDS
    schema["$defs"]["HistorySpec"] = _history_schema()
    description = properties["targets"]["description"]
    properties["targets"] = {"$ref": "#/$defs/Thresholds", "description": description}
    properties["include"] = {
        "description": "suites to lay below this one: shipped names, or files beside this file",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    properties["defaults"] = {
        "description": "options for every benchmark or optimizer whose name fits the pattern",
        "type": "object",
        "additionalProperties": {"type": "object"},
    }
    properties["benchmarks"] = _items(
        properties["benchmarks"]["description"], _benchmark_names(registry), BENCHMARK_KEYS, "/"
    )
    properties["optimizers"] = _items(
        properties["optimizers"]["description"], _optimizer_names(registry), OPTIMIZER_KEYS, None
    )
    # an include may bring what is missing; `suite` alone must be in every file
    schema["required"] = ["suite"]
    schema["anyOf"] = [
        {"required": ["name", "benchmarks", "optimizers"]},
        {"required": ["include"]},
    ]
    schema["patternProperties"] = {"^x-": {"description": "ignored: a place for YAML anchors"}}
    return schema


def _history_schema() -> dict[str, Any]:
    schema = HistorySpec.model_json_schema()
    _untitled(schema)
    for name in ("benchmarks", "optimizers", "runs"):
        field = schema["properties"][name]
        schema["properties"][name] = {**_PATTERNS, "description": field["description"]}
    return schema


def _untitled(definition: dict[str, Any]) -> None:
    """Drop the titles, which only repeat the names."""
    definition.pop("title", None)
    for field in definition.get("properties", {}).values():
        field.pop("title", None)


def _described(field: dict[str, Any]) -> dict[str, Any]:
    return {key: field[key] for key in ("description", "default") if key in field}


def _repeats(schema: dict[str, Any]) -> dict[str, Any]:
    field = schema["$defs"]["ProtocolSpec"]["properties"]["repeats"]
    return {
        "description": field["description"],
        "anyOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/RepeatsSpec"}],
    }


def _items(
    description: str,
    names: dict[str, dict[str, Any]],
    keys: tuple[str, ...],
    separator: str | None,
) -> dict[str, Any]:
    """Return the schema of a list of names or one-key mappings with settings beside the name.

    Args:
        description: of the list.
        names: schema of the options of each known name; empty: any name.
        keys: the settings that may stand beside the name.
        separator: what every name holds and no setting does, or None.
    """
    settings = {
        "as": _LABEL,
        "each": _EACH,
        "only": _PATTERNS,
        "batch": {"type": "integer", "minimum": 1, "description": "configurations asked at once"},
        "seeds": {"description": "seeds of this optimizer alone, fewer for a slow one", **_SEEDS},
        "history": {
            "description": "earlier trials to give it: true, or which",
            "anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/HistorySpec"}],
        },
        "budget": {"$ref": "#/$defs/BudgetSpec"},
        "targets": {"$ref": "#/$defs/Thresholds"},
        "protocol": {"$ref": "#/$defs/ProtocolSpec"},
        "limits": {"$ref": "#/$defs/LimitsSpec"},
        "price": {"anyOf": [{"$ref": "#/$defs/PriceSpec"}, {"type": "null"}]},
    }
    name: dict[str, Any] = {"type": "string"}
    if names:
        name["enum"] = sorted(names)
    elif separator is not None:
        name["pattern"] = f"^[^{separator}]+{separator}.+$"
    mapping: dict[str, Any] = {
        "type": "object",
        "minProperties": 1,
        "properties": {key: settings[key] for key in keys},
    }
    if names:
        mapping["properties"].update(names)
        mapping["additionalProperties"] = False
    else:
        pattern = separator if separator is not None else f"^(?!(?:{'|'.join(keys)})$)"
        mapping["patternProperties"] = {pattern: {"type": ["object", "null"]}}
        mapping["additionalProperties"] = False
    return {
        "type": "array",
        "minItems": 1,
        "description": description,
        "items": {"anyOf": [name, mapping]},
    }


def _benchmark_names(registry: Registry | None) -> dict[str, dict[str, Any]]:
    if registry is None:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for target, component in registry.components("target").items():
        for benchmark in component.create().benchmarks():
            found[f"{target}/{benchmark.name}"] = {
                **_options(component, benchmark.name),
                "description": benchmark.summary,
            }
    return found


def _optimizer_names(registry: Registry | None) -> dict[str, dict[str, Any]]:
    if registry is None:
        return {}
    return {
        name: {**_options(component, None), "description": component.spec.summary}
        for name, component in registry.components("optimizer").items()
    }


def _options(component: Component, benchmark: str | None) -> dict[str, Any]:
    """Return the schema of a component's options with nothing required: a matrix may set it."""
    model = component.options_model(benchmark)
    schema = model.model_json_schema()
    schema.pop("required", None)
    # a schema with an $id keeps its own $defs apart from ours
    schema["$id"] = f"urn:daybreak:{component.spec.kind}:{component.spec.name}:{benchmark or ''}"
    return {"anyOf": [schema, {"type": "null"}]}
