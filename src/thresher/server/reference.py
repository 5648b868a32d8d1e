"""/docs: the API on one plain page, made from its OpenAPI description, without scripts."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The reference page."""
    return HTMLResponse(page_of(request.app.openapi()))


def page_of(schema: dict[str, Any]) -> str:
    """The reference as HTML: every route with its input and output, then every type."""
    routes = "".join(
        _route(method, path, operation)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    )
    shapes = "".join(_shape(name, shape) for name, shape in sorted(schema["components"]["schemas"].items()))
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>"
        f"<p>{escape(schema['info']['description'])} As data: <a href=/openapi.json>/openapi.json</a></p>"
        f"<h2>Routes</h2>{routes}<h2>Shapes</h2>{shapes}"
    )


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    takes = [f"{name['name']} ({name['in']})" for name in operation.get("parameters", [])]
    takes += [_type(content["schema"]) for content in operation.get("requestBody", {}).get("content", {}).values()]
    answers = [
        f"{status}: " + (", ".join(_type(c.get("schema", {})) or kind for kind, c in told.get("content", {}).items()))
        for status, told in operation["responses"].items()
        if status != "default"
    ]
    tokens = [name for need in operation.get("security", []) for name in need]
    lines = {"token": tokens, "takes": takes, "answers": answers}
    told = "".join(f"<li>{escape(word)}: {escape(', '.join(items))}</li>" for word, items in lines.items() if items)
    return (
        f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
        f"<p>{escape(operation.get('description', ''))}</p><ul>{told}</ul>"
    )


def _shape(name: str, shape: dict[str, Any]) -> str:
    needed = shape.get("required", [])
    members = "".join(
        f"<li><code>{escape(member)}</code>: {escape(_type(told) + ('' if member in needed else ', may be left out'))}"
        for member, told in shape.get("properties", {}).items()
    )
    return f"<h3 id={escape(name)}>{escape(name)}</h3><p>{escape(shape.get('description', ''))}</p><ul>{members}</ul>"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'"{word}"' for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", ""))
